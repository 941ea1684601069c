// The intake: folding, fair shares, limits, and exact counts.
#include "daemon/audit/intake.h"

#include "tests/audit/audit_fixture.h"

using namespace claimsd;
using namespace claimsd::audit;
using namespace claimsd::audit::testing;

namespace {

Now at(std::int64_t second) {
  return {BootTime(seconds(second)), kNoon + seconds(second)};
}

Record from(std::uint32_t uid, std::uint64_t token, std::int64_t second = 0) {
  Record record = refusal_number(token, at(second));
  record.peer.uid = uid;
  return record;
}

std::uint64_t sum_of(const Batch& batch) {
  std::uint64_t sum = batch.losses.denied + batch.losses.allowed;
  for (const Record& record : batch.records) sum += record.count;
  return sum;
}

}  // namespace

TEST_CASE("the same rejection repeated becomes one record with the first and last time") {
  Intake intake({});
  for (std::int64_t i = 0; i < 1000; ++i) {
    CHECK(intake.submit(from(1000, 7, i), static_cast<claims::AuditTicket>(i + 1)) ==
          claims::AuditDecision::kPending);
  }
  const Batch batch = intake.take();
  REQUIRE(batch.records.size() == 1);
  CHECK(batch.records[0].count == 1000);
  CHECK(batch.records[0].at == at(0));
  CHECK(batch.records[0].last == at(999).wall);
  CHECK(batch.records[0].token == token_number(7));
  CHECK(batch.tickets.size() == 1000);
  CHECK(intake.empty());
}

TEST_CASE("random tokens of one peer beyond the first few become one record") {
  Intake intake({});
  for (std::uint64_t i = 0; i < 5000; ++i) intake.submit(from(1000, i), 0);
  intake.submit(from(1001, 1), 0);
  const Batch batch = intake.take();
  REQUIRE(batch.records.size() == 10);
  CHECK(batch.records[8].various);
  CHECK(batch.records[8].count == 5000 - 8);
  CHECK_FALSE(batch.records[8].token);
  CHECK(batch.records[8].peer.uid == 1000);
  CHECK(batch.records[8].peer.pid == 0);
  CHECK(sum_of(batch) == 5001);
}

TEST_CASE(
    "a sustained flood adds at most a fixed number of separate records per second, not per "
    "commit") {
  Intake intake({});
  std::size_t named = 0;
  std::uint64_t token = 0;
  std::uint64_t sum = 0;
  const auto flood = [&](std::uint32_t uid, std::int64_t second, int commits) {
    for (int commit = 0; commit < commits; ++commit) {
      for (int i = 0; i < 50; ++i) intake.submit(from(uid, ++token, second), 0);
      const Batch batch = intake.take();
      for (const Record& record : batch.records) named += record.various ? 0 : 1;
      CHECK(batch.records.size() <= 9);
      sum += sum_of(batch);
    }
    return std::exchange(named, 0);
  };
  CHECK(flood(1000, 1, 100) == 128);
  CHECK(flood(1001, 1, 2) == 16);  // another peer has its own limit
  CHECK(flood(1000, 1, 100) == 0);
  CHECK(flood(1000, 2, 100) == 128);
  CHECK(sum == 302 * 50);
  // A second later a single token gets a separate record again.
  intake.submit(from(1000, ++token, 3), 0);
  CHECK_FALSE(intake.take().records.at(0).various);
}

namespace {

Record outage_of(std::uint64_t token, std::int64_t millisecond) {
  const Now now{BootTime(milliseconds(millisecond)), kNoon + milliseconds(millisecond)};
  Record record = refusal_number(token, now);
  record.event = Event::kUnavailable;
  record.reason = claimsd::proto::Reason::kBackoff;
  return record;
}

}  // namespace

TEST_CASE(
    "of repeated outages of one cause the first in a second is named, the others are counted") {
  Intake intake({});
  std::uint64_t sum = 0;
  std::size_t records = 0;
  for (std::int64_t event = 0; event < 1900;
       ++event) {  // ten seconds, each event in its own commit
    const std::int64_t now = event * 10'000 / 1900;
    const auto decision = intake.submit(outage_of(static_cast<std::uint64_t>(event), now), 1);
    const Batch batch = intake.take(BootTime(milliseconds(now)));
    CHECK((decision == claims::AuditDecision::kPending) == (batch.tickets.size() == 1));
    sum += sum_of(batch);
    records += batch.records.size();
  }
  const Batch last = intake.take(BootTime(seconds(11)));
  CHECK(sum + sum_of(last) == 1900);
  CHECK(records + last.records.size() <= 2 * 10);
  REQUIRE(last.records.size() == 1);
  CHECK(last.records[0].various);
  CHECK(last.records[0].at.wall >= kNoon + seconds(9));
}

TEST_CASE("outages of different causes are counted apart, and the last batch has all counts") {
  Intake intake({});
  for (std::uint64_t i = 0; i < 50; ++i) {
    intake.submit(outage_of(i, 0), 0);
    Record other = outage_of(i, 0);
    other.reason = claimsd::proto::Reason::kUpstreamTimeout;
    intake.submit(other, 0);
  }
  CHECK(intake.take(BootTime(milliseconds(1))).records.size() == 2);
  intake.set_broken(true);  // also if it cannot be written
  const Batch last = intake.take(BootTime(milliseconds(2)), true);
  CHECK(last.records.size() == 2);
  CHECK(sum_of(last) == 98);
}

TEST_CASE("events of different users are never folded together") {
  Intake intake({});
  for (int i = 0; i < 100; ++i) intake.submit(denial_of(std::to_string(i)), 0);
  CHECK(intake.take().records.size() == 100);
}

TEST_CASE("events with different reasons, peers, upstreams or kinds are never folded together") {
  Intake intake({});
  Record other = from(1000, 1);
  intake.submit(other, 0);
  other.reason = claimsd::proto::Reason::kRevoked;
  intake.submit(other, 0);
  other.upstream = "second";
  intake.submit(other, 0);
  other.peer.pid = 1;
  intake.submit(other, 0);
  other.event = Event::kRejectedLocally;
  intake.submit(other, 0);
  CHECK(intake.take().records.size() == 5);
}

TEST_CASE("folding starts over with every commit") {
  Intake intake({});
  intake.submit(from(1000, 7), 0);
  CHECK(intake.take().records.size() == 1);
  intake.submit(from(1000, 7), 0);
  CHECK(intake.take().records.size() == 1);
}

TEST_CASE("a flood of one peer leaves room for other peers, and the counts stay exact") {
  Policy policy;
  policy.max_records = 64;
  Intake intake(policy);
  std::uint64_t denied = 0;
  for (int i = 0; i < 1000; ++i) {
    Record flood = denial_of(std::to_string(i));
    flood.peer.uid = 66;
    if (intake.submit(flood, 1) == claims::AuditDecision::kUnavailable) ++denied;
  }
  CHECK(denied == 1000 - 32);
  CHECK(intake.submit(from(1000, 1), 2) == claims::AuditDecision::kPending);
  CHECK(intake.submit(from(1001, 1), 3) == claims::AuditDecision::kPending);
  const Batch batch = intake.take();
  CHECK(batch.losses.denied == denied);
  CHECK(sum_of(batch) == 1002);
}

TEST_CASE("an operator action is recorded although a flood has filled the queue") {
  Policy policy;
  policy.max_records = 4;
  Intake intake(policy);
  for (std::uint32_t uid = 0; uid < 40; ++uid) intake.submit(from(uid, 1), 0);
  Record revoked;
  revoked.event = Event::kRevoked;
  CHECK(intake.submit(revoked, 9) == claims::AuditDecision::kPending);
  CHECK(intake.submit(revoked, 10) == claims::AuditDecision::kPending);
  const Batch batch = intake.take();
  CHECK(batch.records.back().event == Event::kRevoked);
  CHECK(batch.records.back().count == 1);
}

TEST_CASE("a full queue denies events, or allows and counts them, depending on the policy") {
  Policy policy;
  policy.max_records = 2;
  for (const auto when : {WhenFull::kUnavailable, WhenFull::kAllowUnrecorded}) {
    policy.when_full = when;
    Intake intake(policy);
    intake.submit(from(1, 1, 5), 1);
    const claims::AuditDecision verdict = intake.submit(from(1, 2, 6), 2);
    CHECK(verdict == (when == WhenFull::kUnavailable ? claims::AuditDecision::kUnavailable
                                                     : claims::AuditDecision::kProceed));
    intake.submit(from(1, 3, 9), 3);
    const Batch batch = intake.take();
    CHECK(batch.tickets == std::vector<claims::AuditTicket>{1});
    CHECK(batch.losses.denied + batch.losses.allowed == 2);
    const Record gap = gap_record(batch.losses);
    CHECK(gap.count == 2);
    CHECK(gap.at == at(6));
    CHECK(gap.last == at(9).wall);
  }
}

TEST_CASE("an event below the level proceeds without a record") {
  Intake intake({});
  Record hit = from(1, 1);
  hit.event = Event::kHit;
  CHECK(intake.submit(hit, 1) == claims::AuditDecision::kProceed);
  CHECK(intake.empty());
}

TEST_CASE("without before_answer an event proceeds at once and is still recorded") {
  Policy policy;
  policy.before_answer = false;
  Intake intake(policy);
  CHECK(intake.submit(from(1, 1), 1) == claims::AuditDecision::kProceed);
  const Batch batch = intake.take();
  CHECK(batch.records.size() == 1);
  CHECK(batch.tickets.empty());
}

TEST_CASE("while the disk fails only operator actions are kept") {
  Intake intake({});
  intake.set_broken(true);
  CHECK(intake.submit(from(1, 1), 1) == claims::AuditDecision::kUnavailable);
  Record purged;
  purged.event = Event::kPurged;
  intake.submit(purged, 0);
  const Batch batch = intake.take();
  CHECK(batch.records.size() == 1);
  CHECK(batch.losses.denied == 1);
}

TEST_CASE("retention drops segments by age and by size, oldest first and never the newest") {
  std::vector<SegmentInfo> segments(5);
  for (std::size_t i = 0; i < segments.size(); ++i) {
    segments[i].day = audit_day(kNoon) + static_cast<std::int64_t>(i);
    segments[i].bytes = 100;
  }
  const WallTime now = kNoon + std::chrono::days(5);
  const auto drop = [&](const Retention& retention, WallTime at) {
    return segments_to_drop(segments, retention, at).count;
  };
  CHECK(drop({}, now) == 0);
  CHECK(drop({std::chrono::days(2), 0}, now) == 2);
  CHECK(drop({std::chrono::days(400), 0}, now) == 0);
  CHECK(drop({Duration{}, 350}, now) == 2);
  CHECK(drop({Duration{}, 1}, now) == 4);
  CHECK(drop({Duration(1), 0}, now + std::chrono::days(99)) == 4);
}

TEST_CASE("retention by size says how many segments it drops before their time") {
  std::vector<SegmentInfo> segments(5);
  for (std::size_t i = 0; i < segments.size(); ++i) {
    segments[i].day = audit_day(kNoon) + static_cast<std::int64_t>(i);
    segments[i].bytes = 100;
  }
  const Retention retention{std::chrono::days(2), 150};
  const ToDrop drop = segments_to_drop(segments, retention, kNoon + std::chrono::days(5));
  CHECK(drop.count == 4);
  CHECK(drop.early == 2);
}

TEST_CASE("retention by age needs a proven clock and is not misled by a day in the future") {
  std::vector<SegmentInfo> segments(5);
  for (std::size_t i = 0; i < segments.size(); ++i) {
    segments[i].day = audit_day(kNoon) + static_cast<std::int64_t>(i);
  }
  const Retention retention{std::chrono::days(2), 0};
  const WallTime seven_years_later = kNoon + std::chrono::days(7 * 365);
  CHECK(segments_to_drop(segments, retention, seven_years_later, false).count == 0);
  // Begun while the clock was seven years ahead. The next one shows that it was wrong.
  segments[2].day += 7 * 365;
  CHECK(segments_to_drop(segments, retention, kNoon + std::chrono::days(8)).count == 4);
}

TEST_CASE("events submitted as various become one record per peer and kind, whatever their user") {
  Intake intake({});
  for (int i = 0; i < 100; ++i) {
    Record record = denial_of(std::to_string(i));
    record.peer.pid = i;
    record.various = true;
    CHECK(intake.submit(record, static_cast<claims::AuditTicket>(i + 1)) ==
          claims::AuditDecision::kPending);
  }
  intake.submit(denial_of("user-2"), 0);
  const Batch batch = intake.take();
  REQUIRE(batch.records.size() == 2);
  CHECK(batch.records[0].various);
  CHECK(batch.records[0].count == 100);
  CHECK(batch.records[0].user.empty());
  CHECK(batch.records[0].route.empty());
  CHECK(batch.records[0].peer.pid == 0);
  CHECK(batch.records[1].user == "user-2");
  CHECK(batch.tickets.size() == 100);
}

TEST_CASE("events with counts above one are folded by adding the counts") {
  Intake intake({});
  for (std::uint64_t count : {3, 4, 5}) {
    Record record = refusal_number(1, at(0));
    record.event = Event::kUnacknowledged;
    record.count = count;
    intake.submit(record, 0);
  }
  const Batch batch = intake.take();
  REQUIRE(batch.records.size() == 1);
  CHECK(batch.records[0].count == 12);
}

// The daily bytes of each uid: beyond them reports are counted, not written.
#include "daemon/audit/uid_quota.h"

#include "daemon/audit/intake.h"
#include "tests/audit/audit_fixture.h"

using namespace claimsd;
using namespace claimsd::audit;
using namespace claimsd::audit::testing;

namespace {

constexpr std::uint64_t kQuota = 20'000;

Policy limited() {
  Policy policy;
  policy.max_bytes_per_uid = kQuota;
  return policy;
}

Record report_of(std::uint64_t number, std::uint32_t uid, Duration after = {}) {
  Record record =
      denial_of("user-" + std::to_string(number), {BootTime(seconds(1000) + after), kNoon + after});
  record.peer.uid = uid;
  return record;
}

struct Written {
  std::uint64_t bytes = 0;  // encoded
  std::uint64_t reports = 0;
  std::uint64_t counted = 0;  // by over_quota records
  std::size_t summaries = 0;

  void add(const Batch& batch) {
    for (const Record& record : batch.records) {
      bytes += encode_audit_record(record).size();
      if (record.event == Event::kOverQuota) {
        counted += record.count;
        ++summaries;
      } else {
        reports += record.count;
      }
    }
    CHECK_FALSE(batch.losses.any());
  }
};

// One report per second for `hours`.
Written flood(Intake& intake, std::uint32_t uid, int hours, std::uint64_t first = 0) {
  Written written;
  for (std::uint64_t i = 0; i < static_cast<std::uint64_t>(hours) * 3600; ++i) {
    const Record report = report_of(first + i, uid, seconds(static_cast<std::int64_t>(first + i)));
    const BootTime now = report.at.boot;
    const auto decision = intake.submit(report, first + i + 1);
    CHECK((decision == claims::AuditDecision::kPending ||
           decision == claims::AuditDecision::kUnavailable));
    written.add(intake.take(now));
  }
  written.add(intake.take(BootTime::max(), true));
  return written;
}

}  // namespace

TEST_CASE("reports of one uid beyond its daily bytes are counted exactly and not written") {
  Intake intake(limited());
  const Written written = flood(intake, 1000, 10);
  CHECK(written.reports > 20);
  CHECK(written.reports + written.counted == 36'000);
  CHECK(written.counted == intake.over_quota());
  CHECK(written.summaries <= 10 * 6 + 1);
  CHECK(written.bytes < kQuota + 61 * kAuditHeaderSize * 3);
}

TEST_CASE("a used-up quota of one uid does not affect another uid or an operator") {
  Intake intake(limited());
  flood(intake, 1000, 1);
  CHECK(intake.submit(report_of(1, 1000, seconds(3600)), 1) == claims::AuditDecision::kUnavailable);
  CHECK(intake.submit(report_of(2, 1001, seconds(3600)), 2) == claims::AuditDecision::kPending);
  Record revoked;
  revoked.event = Event::kRevoked;
  revoked.peer.uid = 1000;
  CHECK(intake.submit(revoked, 3) == claims::AuditDecision::kPending);
}

TEST_CASE("answers of a uid that used up its quota are recorded without details") {
  Intake intake(limited());
  flood(intake, 1000, 1);
  CHECK(intake.submit(refusal_number(7, {BootTime(seconds(4600)), kNoon}), 1) ==
        claims::AuditDecision::kPending);
  const Batch batch = intake.take();
  REQUIRE(batch.records.size() == 1);
  CHECK(batch.records[0].various);
}

TEST_CASE("the quota is whole again after a day of the boot clock, whatever the wall clock says") {
  Intake intake(limited());
  flood(intake, 1000, 1);
  Record later = report_of(1, 1000, seconds(7200));
  later.at.wall += std::chrono::days(400);
  CHECK(intake.submit(later, 1) == claims::AuditDecision::kUnavailable);
  CHECK(intake.submit(report_of(2, 1000, std::chrono::hours(24)), 2) ==
        claims::AuditDecision::kPending);
}

TEST_CASE("without a quota every report is written") {
  Policy policy;
  policy.max_bytes_per_uid = 0;
  Intake intake(policy);
  const Written written = flood(intake, 1000, 2);
  CHECK(written.reports == 7200);
  CHECK(written.counted == 0);
}

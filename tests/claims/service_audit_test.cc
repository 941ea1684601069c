// Answers that must be recorded before they are sent, and their revalidation afterwards.
#include <set>

#include "tests/support/catch.h"
#include "tests/support/service_harness.h"

using namespace claimsd;
using namespace claimsd::claims;
using namespace claimsd::testing;
using namespace std::chrono_literals;
using proto::Reason;
using proto::Source;
using Kind = AuditedEvent::Kind;

namespace {

constexpr AuditScope kFailures{.failures = true};
constexpr AuditScope kVerifications{.failures = true, .verifications = true};
constexpr AuditScope kLeases{.failures = true, .verifications = true, .leases = true};
constexpr AuditScope kEvery{.failures = true, .verifications = true, .leases = true, .hits = true};

Policy audited(const AuditScope& scope) {
  Policy policy = plain_policy();
  policy.audit = scope;
  return policy;
}

// Puts a token into the cache, with its record written.
void learn(ServiceHarness& world, std::string_view token) {
  world.audit.verdict = AuditDecision::kProceed;
  world.query_and_complete(token, status(200));
  world.audit.verdict = AuditDecision::kPending;
}

}  // namespace

TEST_CASE("each audit level records exactly its own answers") {
  const auto events = [](const AuditScope& scope) {
    ServiceHarness world(audited(scope));
    world.audit.verdict = AuditDecision::kProceed;
    world.query_and_complete("good", status(200));
    world.query_now("good");
    world.query_and_complete("bad", status(401));
    world.query_now("bad");
    world.query_now("a b");
    world.query_and_complete("who", status(503));
    return world.audit.noted.size();
  };
  CHECK(events({}) == 0);
  CHECK(events(kFailures) == 4);
  CHECK(events(kVerifications) == 5);
  CHECK(events(kEvery) == 6);
}

TEST_CASE("an answer is sent only after its record is durable") {
  ServiceHarness world(audited(kVerifications));
  const Waiter good = world.query("good", {.route = "GET /worklist"});
  world.complete_oldest(status(200));
  const Waiter bad = world.query("bad");
  world.complete_oldest(status(401));
  const Waiter malformed = world.query("a b");
  for (const Waiter& waiter : {good, bad, malformed}) CHECK_FALSE(world.answered(waiter));
  CHECK_FALSE(world.service->idle());
  CHECK(world.audit.noted[0].token == "good");
  CHECK(world.audit.noted[0].event.status == 200);
  CHECK(world.audit.noted[0].route == "GET /worklist");
  CHECK(world.audit.noted[1].event.reason == Reason::kRejected);

  world.write_record();
  CHECK(world.reason(good) == Reason::kOk);
  CHECK_FALSE(world.answered(bad));
  world.write_record();
  world.write_record();
  CHECK(world.reason(bad) == Reason::kRejected);
  CHECK(world.reason(malformed) == Reason::kMalformed);
  CHECK(world.service->idle());
}

TEST_CASE("an answer that the audit log does not accept becomes unavailable") {
  ServiceHarness world(audited(kVerifications));
  world.audit.verdict = AuditDecision::kUnavailable;
  CHECK(world.query_and_complete("good", status(200)).answer.reason == Reason::kNotRecorded);
  world.audit.verdict = AuditDecision::kPending;
  const Waiter bad = world.query("bad");
  world.complete_oldest(status(401));
  world.write_record(false);
  CHECK(world.reason(bad) == Reason::kNotRecorded);
  CHECK(world.counters().unrecorded == 2);
  CHECK(world.counters().answers_valid == 0);
}

TEST_CASE("an answer whose record is late fails at its deadline, and the late record is ignored") {
  ServiceHarness world(audited(kVerifications));
  const Waiter waiter = world.query("good", {.timeout = 2s});
  world.advance(1s);
  world.complete_oldest(status(200));
  world.advance(999ms);
  CHECK_FALSE(world.answered(waiter));
  world.advance(1ms);
  CHECK(world.reason(waiter) == Reason::kNotRecorded);
  world.write_record();
  CHECK(world.service->idle());
}

TEST_CASE("a timeout answer is sent only after its record is durable") {
  ServiceHarness world(audited(kFailures));
  const Waiter waiter = world.query("good", {.timeout = 2s});
  world.advance(2s);
  CHECK_FALSE(world.answered(waiter));
  world.write_record();
  CHECK(world.reason(waiter) == Reason::kDeadline);
}

TEST_CASE("a client that disconnects while its record is written leaves no state behind") {
  ServiceHarness world(audited(kVerifications));
  const Waiter waiter = world.query("good", {.connection = 7});
  world.complete_oldest(status(200));
  world.service->disconnected(7);
  CHECK(world.service->idle());
  CHECK_FALSE(world.service->wait_time().has_value());
  world.write_record();
  CHECK_FALSE(world.answered(waiter));
}

TEST_CASE("an answer is revalidated when its record becomes durable") {
  ServiceHarness world(audited(kVerifications));
  const auto reversed = [&world](Reason to, const Waiter& waiter) {
    world.write_record();  // of the original answer, which is no longer correct
    CHECK_FALSE(world.answered(waiter));
    CHECK(world.audit.noted.back().event.kind == Kind::kSupersession);
    CHECK(world.audit.noted.back().event.reason == to);
    world.write_record();
    CHECK(world.reason(waiter) == to);
    CHECK(world.counters().superseded_answers == 1);
  };
  SECTION("the token was revoked") {
    const Waiter waiter = world.query("good");
    world.complete_oldest(status(200));
    world.revoke({.subject = Subject::kToken, .who = "good"});
    reversed(Reason::kRevoked, waiter);
  }
  SECTION("the user was revoked") {
    const Waiter waiter = world.query("good");
    world.complete_oldest(status(200));
    world.revoke({.subject = Subject::kUser, .who = "user-123"});
    reversed(Reason::kRevoked, waiter);
  }
  SECTION("a later request was rejected") {
    const Waiter waiter = world.query("good");
    world.complete_oldest(status(200));
    world.advance(1s);
    world.audit.verdict = AuditDecision::kProceed;
    world.query_and_complete("good", status(401), {.max_age = 0s});
    world.audit.verdict = AuditDecision::kPending;
    world.advance(10s);  // longer than the negative TTL
    reversed(Reason::kRejected, waiter);
  }
  SECTION("the token itself has expired") {
    const std::string token = jwt_expiring(10s);
    const Waiter waiter = world.query(token);
    world.complete_oldest(status(200));
    world.clock.step_wall(1h);
    reversed(Reason::kExpired, waiter);
  }
  SECTION("the TTL has expired") {
    const Waiter waiter = world.query("good");
    world.complete_oldest(confirmed("max-age=3"));
    world.clock.advance(3s);
    reversed(Reason::kNotRecorded, waiter);
  }
}

TEST_CASE("a valid answer that waited for its record reports its current age") {
  ServiceHarness world(audited(kVerifications));
  const Waiter waiter = world.query("good");
  world.complete_oldest(status(200));
  world.advance(3s);
  world.write_record();
  CHECK(world.answer(waiter).answer.age == 3s);
  CHECK(world.answer(waiter).answer.ttl_remaining == 57s);
}

TEST_CASE("a rejection that waited for its record reports its current age") {
  ServiceHarness world(audited(kFailures));
  const Waiter waiter = world.query("bad");
  world.advance(1s);
  world.complete_oldest(status(401));
  world.advance(2s);
  world.write_record();
  CHECK(world.answer(waiter).answer.age == 3s);
}

TEST_CASE("a confirmation that arrives after its TTL answers its waiters for one more second") {
  Policy policy = audited(kVerifications);
  policy.ttl.max_ttl = 2s;
  ServiceHarness world(policy);
  const auto late_by = [&world](Duration commit) {
    const Waiter waiter = world.query("slow");
    world.advance(3s);
    world.complete_oldest(status(200));
    world.advance(commit);
    world.write_record();
    return waiter;
  };
  CHECK(world.reason(late_by(999ms)) == Reason::kOk);
  const Waiter waiter = late_by(1s);
  world.write_record();  // that the answer was superseded
  CHECK(world.reason(waiter) == Reason::kNotRecorded);
}

TEST_CASE("a stale answer that waits for its record expires when any stale answer would") {
  Policy policy = audited(kEvery);
  policy.ttl.stale_if_error = 100s;
  ServiceHarness world(policy);
  world.audit.verdict = AuditDecision::kProceed;
  world.query_and_complete("token", confirmed("max-age=10"));
  world.audit.verdict = AuditDecision::kPending;
  world.advance(108s);
  const Waiter waiter = world.query("token");
  world.complete_oldest(failed(Reason::kUpstreamConnect));
  world.advance(2s);
  world.write_record();
  CHECK(world.audit.noted.back().event.reason == Reason::kNotRecorded);
  world.write_record();
  CHECK(world.reason(waiter) == Reason::kNotRecorded);
}

TEST_CASE("a superseding answer without a record becomes unavailable") {
  ServiceHarness world(audited(kVerifications));
  const Waiter waiter = world.query("good");
  world.complete_oldest(status(200));
  world.revoke({.subject = Subject::kToken, .who = "good"});
  world.audit.verdict = AuditDecision::kUnavailable;
  world.write_record();
  CHECK(world.reason(waiter) == Reason::kNotRecorded);
}

TEST_CASE("no lease is published before the record of its answer is durable") {
  ServiceHarness world(audited(kVerifications));
  const std::string token(40, 't');
  const Waiter waiter = world.query(token, {.wants_lease = true});
  world.complete_oldest(status(200));
  CHECK(world.publisher.published() == 0);
  world.write_record();
  CHECK(world.answered(waiter));
  CHECK(world.publisher.published() == 1);
}

TEST_CASE("with leases recorded, each lease waits for its own record") {
  ServiceHarness world(audited(kLeases));
  const std::string token(40, 't');
  world.query(token, {.wants_lease = true});
  world.complete_oldest(status(200));
  world.write_record();
  CHECK(world.audit.noted.back().event.kind == Kind::kLease);
  CHECK(world.publisher.published() == 0);
  world.query_now(token, {.wants_lease = true});
  CHECK(world.audit.noted.size() == 2);  // a lease is waiting already
  SECTION("published once the record is durable") {
    world.write_record();
    CHECK(world.publisher.published() == 1);
  }
  SECTION("not published if the record fails") {
    world.write_record(false);
    CHECK(world.publisher.published() == 0);
  }
  SECTION("not published if the token was revoked meanwhile") {
    world.revoke({.subject = Subject::kToken, .who = token});
    world.write_record();
    CHECK(world.publisher.published() == 0);
  }
}

TEST_CASE("the Auth API's verdict is recorded even if all clients have disconnected") {
  ServiceHarness world(audited(kFailures));
  world.query("bad", {.connection = 7});
  world.service->disconnected(7);
  world.complete_oldest(status(401));
  REQUIRE(world.audit.noted.size() == 1);
  CHECK(world.audit.noted[0].event.reason == Reason::kRejected);
  world.write_record();
  CHECK(world.counters().answers_invalid == 0);
}

TEST_CASE("with hits recorded, a hit waits for its record") {
  ServiceHarness world(audited(kEvery));
  learn(world, "good");
  const Waiter waiter = world.query("good");
  CHECK_FALSE(world.answered(waiter));
  world.write_record();
  CHECK(world.answer(waiter).answer.source == Source::kCache);
}

TEST_CASE(
    "each of many held answers is released exactly once, in any order, or dropped with its "
    "connection") {
  PendingAnswers held;
  constexpr AuditTicket kMany = 1'000;
  constexpr std::uint64_t kConnections = 7;
  for (AuditTicket ticket = 1; ticket <= kMany; ++ticket) {
    REQUIRE(held.next_ticket() == ticket);
    if (ticket % 10 == 9) continue;  // a record without a waiting answer
    held.add(ticket, PendingAnswer{.waiter = {.connection = ticket % kConnections, .request = 1},
                                   .deadline = BootTime(seconds(static_cast<int>(ticket)))});
  }
  CHECK(held.waiting() == kMany - kMany / 10);
  CHECK(held.next_deadline() == BootTime(seconds(1)));
  std::set<AuditTicket> left;
  for (AuditTicket ticket = kMany; ticket > 0; --ticket) {
    const bool is_held = ticket % 10 != 9;
    if (ticket % 3 == 0) {
      const std::optional<PendingAnswer> taken = held.take(ticket);
      REQUIRE(taken.has_value() == is_held);
      if (taken) REQUIRE(taken->waiter.connection == ticket % kConnections);
      REQUIRE_FALSE(held.take(ticket));
    } else if (is_held && ticket % kConnections != 4) {
      left.insert(ticket);
    }
  }
  held.drop_connection(4);
  held.drop_connection(4);
  CHECK(held.waiting() == left.size());
  const auto first_left = left.upper_bound(100);
  const auto overdue = static_cast<std::size_t>(std::distance(left.begin(), first_left));
  CHECK(held.take_overdue(BootTime(seconds(100))).size() == overdue);
  left.erase(left.begin(), first_left);
  CHECK(held.take_overdue(BootTime(seconds(100))).empty());
  CHECK(held.next_deadline() > BootTime(seconds(100)));
  for (AuditTicket ticket = 1; ticket <= kMany; ++ticket) {
    INFO("ticket " << ticket);
    REQUIRE(held.take(ticket).has_value() == left.contains(ticket));
  }
  CHECK(held.waiting() == 0);
  CHECK_FALSE(held.next_deadline());
  held.add(held.next_ticket(), PendingAnswer{.deadline = BootTime(seconds(1))});
  CHECK(held.take_overdue(BootTime(seconds(1))).size() == 1);
}

TEST_CASE("answers that share claims hold one copy of them, and the total size is bounded") {
  PendingAnswers held;
  const std::string claims(10'000, 'c');
  const TokenKey one{};
  TokenKey other{};
  other.bytes[0] = 1;
  const std::size_t size = PendingSubject::size_of("token", claims);
  const auto hold = [&](const TokenKey& key, AuditTicket ticket) {
    held.add(ticket, PendingAnswer{.waiter = {.connection = ticket},
                                   .answer = {.reason = Reason::kOk},
                                   .subject = held.subject(key, "token", claims)});
  };
  for (AuditTicket ticket = 1; ticket <= 10'000; ++ticket) hold(one, ticket);
  CHECK(held.has_room(PendingAnswers::kMaxBytes - size));
  CHECK_FALSE(held.has_room(PendingAnswers::kMaxBytes - size + 1));
  hold(other, 10'001);
  CHECK_FALSE(held.has_room(PendingAnswers::kMaxBytes - 2 * size + 1));
  for (AuditTicket ticket = 1; ticket <= 10'001; ++ticket) REQUIRE(held.take(ticket).has_value());
  CHECK(held.has_room(PendingAnswers::kMaxBytes));
}

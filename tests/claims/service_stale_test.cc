// Stale answers after the TTL, and refresh-ahead before its end.
#include "tests/support/catch.h"
#include "tests/support/service_harness.h"

using namespace claimsd;
using namespace claimsd::claims;
using namespace claimsd::testing;
using namespace std::chrono_literals;
using proto::Reason;
using proto::Source;

namespace {

Policy lenient() {
  Policy policy = plain_policy();
  policy.ttl.stale_if_error = 120s;
  return policy;
}

Policy eager() {
  Policy policy = plain_policy();
  policy.ttl.refresh_percent = 10;
  return policy;
}

}  // namespace

TEST_CASE("the freshness of an entry over its lifetime") {
  TtlPolicy policy{.max_ttl = 100s, .clock_skew = 30s, .stale_if_error = 50s};
  const Now start{BootTime(1000s), WallTime(1'767'225'600s)};
  Entry entry{.confirmed_at = start.boot, .fresh_until = start.boot + 100s};
  const auto at = [&](Duration after, std::optional<Duration> max_age = {}) {
    return freshness_of(entry, {start.boot + after, start.wall + after}, policy, max_age);
  };
  CHECK(at(0s) == Freshness::kFresh);
  CHECK(at(90s - 1ns) == Freshness::kFresh);
  CHECK(at(90s) == Freshness::kRefreshDue);
  CHECK(at(100s - 1ns) == Freshness::kRefreshDue);
  CHECK(at(100s) == Freshness::kStaleUsable);
  CHECK(at(150s - 1ns) == Freshness::kStaleUsable);
  CHECK(at(150s) == Freshness::kStale);
  CHECK(at(-1ns) == Freshness::kUnusable);
  CHECK(at(10s, 9s) == Freshness::kStale);
  CHECK(at(0s, 0s) == Freshness::kStale);
  CHECK(at(110s, 109s) == Freshness::kStale);
  entry.expires_at = start.wall + 80s;
  CHECK(at(50s - 1ns) == Freshness::kFresh);
  CHECK(at(50s) == Freshness::kUnusable);
  entry.expires_at = WallTime::min();
  CHECK(at(0s) == Freshness::kUnusable);
}

TEST_CASE("stale-if-error is off by default") {
  ServiceHarness world;
  world.query_and_complete("token", status(200));
  world.advance(61s);
  CHECK(world.query_and_complete("token", status(503)).answer.reason == Reason::kUpstreamStatus);
}

TEST_CASE("a stale answer replaces a failure, is marked stale, and ends with its grace period") {
  ServiceHarness world(lenient());
  world.query_and_complete("token", status(200));
  world.advance(100s);
  const RecordedAnswer stale = world.query_and_complete("token", failed(Reason::kUpstreamTimeout));
  CHECK(stale.answer.reason == Reason::kOk);
  CHECK(stale.answer.source == Source::kStale);
  CHECK(stale.answer.age == 100s);
  CHECK(stale.answer.ttl_remaining == 0s);
  CHECK_FALSE(stale.claims.empty());
  CHECK(world.counters().stale_answers == 1);
  world.advance(80s);
  CHECK(world.query_and_complete("token", status(503)).answer.reason == Reason::kUpstreamStatus);
}

TEST_CASE("an expired entry is verified first, and the Auth API's verdict wins") {
  ServiceHarness world(lenient());
  world.query_and_complete("token", status(200));
  world.advance(100s);
  CHECK(world.query_and_complete("token", status(200)).answer.source == Source::kUpstream);
  world.advance(100s);
  CHECK(world.query_and_complete("token", status(401)).answer.reason == Reason::kRejected);
  world.advance(10s);
  CHECK(world.query_and_complete("token", status(503)).answer.reason == Reason::kUpstreamStatus);
}

TEST_CASE("a stale answer is given on backoff and on timeout") {
  Policy policy = lenient();
  policy.breaker.failure_threshold = 1;
  ServiceHarness world(policy);
  world.query_and_complete("token", status(200));
  world.advance(100s);
  const Waiter waits = world.query("token", {.timeout = 1s});
  world.advance(1s);
  CHECK(world.answer(waits).answer.source == Source::kStale);
  world.complete_oldest(failed(Reason::kUpstreamTimeout));
  CHECK(world.query_now("token").answer.source == Source::kStale);  // the circuit breaker is open
  CHECK(world.query_now("stranger").answer.reason == Reason::kBackoff);
}

TEST_CASE("an entry is never served stale past exp, past max_age, purged, revoked or displaced") {
  ServiceHarness world(lenient());
  const std::string aggregated = jwt_expiring(2min);
  world.query_and_complete(aggregated, status(200));
  world.query_and_complete("token", status(200));
  world.advance(95s);
  CHECK(world.query_and_complete(aggregated, status(503)).answer.reason == Reason::kUpstreamStatus);
  CHECK(world.query_and_complete("token", status(503), {.max_age = 90s}).answer.reason ==
        Reason::kUpstreamStatus);
  CHECK(world.query_and_complete("token", status(503), {.max_age = 100s}).answer.source ==
        Source::kStale);
  const AdminAction user{
      .subject = Subject::kUser, .who = "user-123", .upstream = {}, .length = {}};
  SECTION("purged") {
    world.purge(user);
    world.advance(1ms);
    CHECK(world.query_and_complete("token", status(503)).answer.reason == Reason::kUpstreamStatus);
  }
  SECTION("revoked") {
    world.revoke(user);
    CHECK(world.query_and_complete("token", status(503)).answer.reason == Reason::kRevoked);
  }
  SECTION("displaced by a newer uncacheable confirmation") {
    world.query_and_complete("token", confirmed("no-store"));
    CHECK(world.query_and_complete("token", status(503)).answer.reason == Reason::kUpstreamStatus);
  }
}

TEST_CASE("a stale answer is neither cached as fresh nor published") {
  ServiceHarness world(lenient());
  world.query_and_complete("token", status(200));
  world.advance(100s);
  for (int i = 0; i < 3; ++i) {
    CHECK(world.query_and_complete("token", status(503)).answer.source == Source::kStale);
    world.advance(10s);
  }
  CHECK(world.publisher.publications() == 0);
  CHECK(world.upstream.requests() == 4);
}

TEST_CASE("a hit in the last tenth of a TTL triggers one refresh-ahead") {
  ServiceHarness world(eager());
  world.query_and_complete("token", status(200));
  world.query_and_complete("unused", status(200));
  world.advance(53s);
  world.query_now("token");
  CHECK(world.upstream.in_flight().empty());
  world.advance(1s);
  for (int i = 0; i < 10; ++i) CHECK(world.query_now("token").answer.source == Source::kCache);
  REQUIRE(world.upstream.in_flight().size() == 1);
  CHECK(world.counters().refreshes == 1);
  world.complete_oldest(status(200));
  world.advance(50s);
  CHECK(world.query_now("token").answer.age == 50s);
  CHECK(world.upstream.requests() == 3);
}

TEST_CASE("a query after the TTL joins a refresh-ahead in flight") {
  ServiceHarness world(eager());
  world.query_and_complete("token", status(200));
  world.advance(55s);
  world.query_now("token");
  world.advance(6s);
  const Waiter waiter = world.query("token");
  CHECK(world.upstream.in_flight().size() == 1);
  world.complete_oldest(status(200));
  CHECK(world.reason(waiter) == Reason::kOk);
}

TEST_CASE(
    "a rejected refresh-ahead removes the entry; a failed one is not retried until the TTL ends") {
  ServiceHarness world(eager());
  world.query_and_complete("token", status(200));
  world.advance(55s);
  world.query_now("token");
  SECTION("rejected") {
    world.complete_oldest(status(401));
    CHECK(world.query_now("token").answer.reason == Reason::kRejected);
  }
  SECTION("failed") {
    world.complete_oldest(status(200, "not claims"));
    for (int i = 0; i < 10; ++i) CHECK(world.query_now("token").answer.reason == Reason::kOk);
    CHECK(world.upstream.requests() == 2);
    world.advance(6s);
    CHECK(world.query_and_complete("token", status(200)).answer.reason == Reason::kOk);
    world.advance(55s);
    world.query_now("token");
    CHECK(world.upstream.in_flight().size() == 1);
  }
}

TEST_CASE("refresh-ahead is skipped first") {
  Policy policy = eager();
  policy.max_in_flight = 4;
  ServiceHarness world(policy);
  world.query_and_complete("token", status(200));
  world.advance(55s);
  SECTION("under load") {
    world.query("a");
    world.query("b");
    world.query_now("token");
    CHECK(world.upstream.in_flight().size() == 2);
  }
  SECTION("while the daemon stops") {
    world.service->stop();
    world.query_now("token");
    CHECK(world.upstream.in_flight().empty());
  }
}

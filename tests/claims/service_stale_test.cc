// Answers beyond a life, and requests before its end.
#include "tests/support/catch.h"
#include "tests/support/service_harness.h"

using namespace claimsd;
using namespace claimsd::daemon;
using namespace claimsd::testing;
using namespace std::chrono_literals;
using proto::Reason;
using proto::Source;

namespace {

Policy lenient() {
  Policy policy = plain_policy();
  policy.life.stale_if_error = 120s;
  return policy;
}

Policy eager() {
  Policy policy = plain_policy();
  policy.life.refresh_percent = 10;
  return policy;
}

}  // namespace

TEST_CASE("what an entry is good for, over its life") {
  LifePolicy policy{.max_ttl = 100s, .clock_skew = 30s, .stale_if_error = 50s};
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
  CHECK(at(150s) == Freshness::kExpired);
  CHECK(at(-1ns) == Freshness::kRefused);
  CHECK(at(10s, 9s) == Freshness::kExpired);
  CHECK(at(0s, 0s) == Freshness::kExpired);
  CHECK(at(110s, 109s) == Freshness::kExpired);
  entry.expires_at = start.wall + 80s;
  CHECK(at(50s - 1ns) == Freshness::kFresh);
  CHECK(at(50s) == Freshness::kRefused);
  entry.expires_at = WallTime::min();
  CHECK(at(0s) == Freshness::kRefused);
}

TEST_CASE("stale on error is off unless it is switched on") {
  ServiceHarness world;
  world.ask_and_land("token", status(200));
  world.advance(61s);
  CHECK(world.ask_and_land("token", status(503)).answer.reason == Reason::kUpstreamStatus);
}

TEST_CASE("a stale answer takes the place of none, is flagged, and ends") {
  ServiceHarness world(lenient());
  world.ask_and_land("token", status(200));
  world.advance(100s);
  const RecordedAnswer stale = world.ask_and_land("token", failed(Reason::kUpstreamTimeout));
  CHECK(stale.answer.reason == Reason::kOk);
  CHECK(stale.answer.source == Source::kStale);
  CHECK(stale.answer.age == 100s);
  CHECK(stale.answer.left == 0s);
  CHECK_FALSE(stale.claims.empty());
  CHECK(world.counters().stale_answers == 1);
  world.advance(80s);
  CHECK(world.ask_and_land("token", status(503)).answer.reason == Reason::kUpstreamStatus);
}

TEST_CASE("the Auth API is asked first, and what it says counts") {
  ServiceHarness world(lenient());
  world.ask_and_land("token", status(200));
  world.advance(100s);
  CHECK(world.ask_and_land("token", status(200)).answer.source == Source::kUpstream);
  world.advance(100s);
  CHECK(world.ask_and_land("token", status(401)).answer.reason == Reason::kRefused);
  world.advance(10s);
  CHECK(world.ask_and_land("token", status(503)).answer.reason == Reason::kUpstreamStatus);
}

TEST_CASE("a stale answer helps whoever is turned away, or has waited for too long") {
  Policy policy = lenient();
  policy.gate.open_after = 1;
  ServiceHarness world(policy);
  world.ask_and_land("token", status(200));
  world.advance(100s);
  const Waiter waits = world.ask("token", {.timeout = 1s});
  world.advance(1s);
  CHECK(world.answer(waits).answer.source == Source::kStale);
  world.land_oldest(failed(Reason::kUpstreamTimeout));
  CHECK(world.ask_now("token").answer.source == Source::kStale);  // the gate is shut
  CHECK(world.ask_now("stranger").answer.reason == Reason::kBackoff);
}

TEST_CASE("never stale: past exp, younger than was asked for, purged, revoked, or not kept") {
  ServiceHarness world(lenient());
  const std::string brief = jwt_expiring(2min);
  world.ask_and_land(brief, status(200));
  world.ask_and_land("token", status(200));
  world.advance(95s);
  CHECK(world.ask_and_land(brief, status(503)).answer.reason == Reason::kUpstreamStatus);
  CHECK(world.ask_and_land("token", status(503), {.max_age = 90s}).answer.reason ==
        Reason::kUpstreamStatus);
  CHECK(world.ask_and_land("token", status(503), {.max_age = 100s}).answer.source ==
        Source::kStale);
  const Order user{.subject = Subject::kUser, .who = "user-123", .upstream = {}, .length = {}};
  SECTION("purged") {
    world.purge(user);
    world.advance(1ms);
    CHECK(world.ask_and_land("token", status(503)).answer.reason == Reason::kUpstreamStatus);
  }
  SECTION("revoked") {
    world.revoke(user);
    CHECK(world.ask_and_land("token", status(503)).answer.reason == Reason::kRevoked);
  }
  SECTION("a newer confirmation that may not be kept") {
    world.ask_and_land("token", confirmed("no-store"));
    CHECK(world.ask_and_land("token", status(503)).answer.reason == Reason::kUpstreamStatus);
  }
}

TEST_CASE("a stale answer is not written back as a fresh one") {
  ServiceHarness world(lenient());
  world.ask_and_land("token", status(200));
  world.advance(100s);
  for (int i = 0; i < 3; ++i) {
    CHECK(world.ask_and_land("token", status(503)).answer.source == Source::kStale);
    world.advance(10s);
  }
  CHECK(world.publisher.publications() == 0);
  CHECK(world.upstream.requests() == 4);
}

TEST_CASE("an entry in the last tenth of its life that is used is asked about ahead of time") {
  ServiceHarness world(eager());
  world.ask_and_land("token", status(200));
  world.ask_and_land("unused", status(200));
  world.advance(53s);
  world.ask_now("token");
  CHECK(world.upstream.flying().empty());
  world.advance(1s);
  for (int i = 0; i < 10; ++i) CHECK(world.ask_now("token").answer.source == Source::kCache);
  REQUIRE(world.upstream.flying().size() == 1);
  CHECK(world.counters().refreshes == 1);
  world.land_oldest(status(200));
  world.advance(50s);
  CHECK(world.ask_now("token").answer.age == 50s);
  CHECK(world.upstream.requests() == 3);
}

TEST_CASE("who asks while a refresh is on its way and a life ends waits for it") {
  ServiceHarness world(eager());
  world.ask_and_land("token", status(200));
  world.advance(55s);
  world.ask_now("token");
  world.advance(6s);
  const Waiter waiter = world.ask("token");
  CHECK(world.upstream.flying().size() == 1);
  world.land_oldest(status(200));
  CHECK(world.reason(waiter) == Reason::kOk);
}

TEST_CASE("a refresh that is refused ends the entry; one that fails changes nothing, once") {
  ServiceHarness world(eager());
  world.ask_and_land("token", status(200));
  world.advance(55s);
  world.ask_now("token");
  SECTION("refused") {
    world.land_oldest(status(401));
    CHECK(world.ask_now("token").answer.reason == Reason::kRefused);
  }
  SECTION("failed") {
    world.land_oldest(status(200, "not claims"));
    for (int i = 0; i < 10; ++i) CHECK(world.ask_now("token").answer.reason == Reason::kOk);
    CHECK(world.upstream.requests() == 2);
    world.advance(6s);
    CHECK(world.ask_and_land("token", status(200)).answer.reason == Reason::kOk);
    world.advance(55s);
    world.ask_now("token");
    CHECK(world.upstream.flying().size() == 1);
  }
}

TEST_CASE("refresh is what is left out first") {
  Policy policy = eager();
  policy.max_in_flight = 4;
  ServiceHarness world(policy);
  world.ask_and_land("token", status(200));
  world.advance(55s);
  SECTION("while much is on its way") {
    world.ask("a");
    world.ask("b");
    world.ask_now("token");
    CHECK(world.upstream.flying().size() == 2);
  }
  SECTION("while the daemon stops") {
    world.service->stop();
    world.ask_now("token");
    CHECK(world.upstream.flying().empty());
  }
}

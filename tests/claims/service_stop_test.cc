// stop(): no new requests, and every query still gets an answer.
#include "tests/support/catch.h"
#include "tests/support/service_harness.h"

using namespace claimsd;
using namespace claimsd::claims;
using namespace claimsd::testing;
using namespace std::chrono_literals;
using proto::Reason;
using proto::Source;

TEST_CASE("after stop() requests in flight are still answered and cached") {
  ServiceHarness world;
  const Waiter waiter = world.query("token");
  world.service->stop();
  CHECK_FALSE(world.service->idle());
  CHECK_FALSE(world.answered(waiter));
  world.complete_oldest(status(200));
  CHECK(world.reason(waiter) == Reason::kOk);
  CHECK(world.service->idle());
  CHECK(world.cache.entries() == 1);
}

TEST_CASE("after stop() queries are answered from the cache or fail as shutting down") {
  ServiceHarness world;
  world.query_and_complete("good", status(200));
  world.query_and_complete("bad", status(401));
  world.query("flying");
  world.service->stop();
  CHECK(world.query_now("good").answer.reason == Reason::kOk);
  CHECK(world.query_now("bad").answer.reason == Reason::kRejected);
  CHECK(world.query_now("a b").answer.reason == Reason::kMalformed);
  CHECK(world.query_now("unknown").answer.reason == Reason::kShuttingDown);
  CHECK(world.query_now("flying").answer.reason == Reason::kShuttingDown);
  CHECK(world.upstream.requests() == 3);
}

TEST_CASE("stop() fails pending queries immediately") {
  Policy policy = plain_policy();
  policy.max_in_flight = 1;
  ServiceHarness world(policy);
  const Waiter flies = world.query("a");
  const Waiter queued = world.query("b");
  const Waiter last = world.query("c");
  world.service->stop();
  CHECK_FALSE(world.answered(flies));
  CHECK(world.reason(queued) == Reason::kShuttingDown);
  CHECK(world.reason(last) == Reason::kShuttingDown);
  world.complete_oldest(status(200));
  CHECK(world.reason(flies) == Reason::kOk);
  CHECK(world.upstream.requests() == 1);
  CHECK(world.service->idle());
}

TEST_CASE("after stop() a successor is not sent") {
  ServiceHarness world;
  const Waiter plain = world.query("token");
  const Waiter strict = world.query("token", {.max_age = 0s});
  world.service->stop();
  world.complete_oldest(status(200));
  CHECK(world.reason(plain) == Reason::kOk);
  CHECK(world.reason(strict) == Reason::kShuttingDown);
  CHECK(world.upstream.requests() == 1);
  CHECK(world.service->idle());
}

TEST_CASE("after stop() deadlines still apply") {
  ServiceHarness world;
  const Waiter waiter = world.query("token", {.timeout = 1s});
  world.service->stop();
  world.advance(1s);
  CHECK(world.reason(waiter) == Reason::kDeadline);
  CHECK(world.service->idle());
}

TEST_CASE("a query made by the sink while stop() clears the queue fails as shutting down") {
  Policy policy = plain_policy();
  policy.max_in_flight = 1;
  ServiceHarness world(policy);
  world.query("a");
  world.query("b");
  world.query("c");
  std::optional<Waiter> again;
  world.sink.on_answer = [&](const Waiter&) {
    world.sink.on_answer = nullptr;
    again = world.query("c", {.connection = 2});
  };
  world.service->stop();
  REQUIRE(again);
  CHECK(world.reason(*again) == Reason::kShuttingDown);
  CHECK(world.upstream.requests() == 1);
  CHECK(world.service->flights().pending() == 0);
}

// Every query is answered within its own timeout.
#include "tests/support/catch.h"
#include "tests/support/service_harness.h"

using namespace claimsd;
using namespace claimsd::claims;
using namespace claimsd::testing;
using namespace std::chrono_literals;
using proto::Reason;
using proto::Source;

TEST_CASE("each waiter of a flight has its own deadline") {
  ServiceHarness world;
  const Waiter patient = world.query("token", {.timeout = 3s});
  const Waiter hasty = world.query("token", {.timeout = 1s});
  world.advance(500ms);
  const Waiter late = world.query("token", {.timeout = 1s});
  CHECK(world.service->wait_time() == 500ms);
  world.advance(10s);
  CHECK(world.reason(hasty) == Reason::kDeadline);
  CHECK(world.answer(hasty).answer.source == Source::kNone);
  const auto asked = world.answer(hasty).at.boot - 1s;
  CHECK(world.answer(late).at.boot == asked + 1500ms);
  CHECK(world.answer(patient).at.boot == asked + 3s);
  CHECK(world.counters().deadlines == 3);
}

TEST_CASE("a deadline takes effect exactly when it is reached") {
  ServiceHarness world;
  const Waiter waiter = world.query("token", {.timeout = 1s});
  world.clock.advance(1s - 1ns);
  world.service->tick();
  CHECK_FALSE(world.answered(waiter));
  CHECK(world.service->wait_time() == 1ns);
  world.clock.advance(1ns);
  CHECK(world.service->wait_time() == 0s);
  world.service->tick();
  CHECK(world.reason(waiter) == Reason::kDeadline);
  CHECK_FALSE(world.service->wait_time());
}

TEST_CASE("a later waiter does not move an earlier waiter's deadline") {
  ServiceHarness world;
  const Waiter first = world.query("token", {.timeout = 2s});
  for (int i = 0; i < 20; ++i) {
    world.advance(100ms);
    world.query("token", {.timeout = 10s});
  }
  CHECK(world.reason(first) == Reason::kDeadline);
}

TEST_CASE("a flight continues after its waiters have timed out, and its result is cached") {
  ServiceHarness world;
  const Waiter hasty = world.query("token", {.timeout = 1s});
  world.advance(1s);
  CHECK(world.service->idle());
  CHECK(world.upstream.in_flight().size() == 1);
  world.complete_oldest(status(200));
  CHECK(world.reason(hasty) == Reason::kDeadline);
  CHECK(world.query_now("token").answer.source == Source::kCache);
}

TEST_CASE("a timeout that is missing or above the maximum becomes the maximum") {
  ServiceHarness world;
  const Waiter none = world.query("a");
  const Waiter long_one = world.query("b", {.timeout = 10h});
  const Waiter longest = world.query("c", {.timeout = 30s});
  const Waiter negative = world.query("d", {.timeout = -1s});
  world.advance(30s - 1ns);
  CHECK(world.sink.order().empty());
  world.advance(1ns);
  for (const Waiter& waiter : {none, long_one, longest, negative}) {
    CHECK(world.reason(waiter) == Reason::kDeadline);
  }
}

TEST_CASE("a deadline applies to pending queries as well") {
  Policy policy = plain_policy();
  policy.max_in_flight = 1;
  ServiceHarness world(policy);
  world.query("first");
  const Waiter queued = world.query("token", {.timeout = 1s});
  world.advance(1s);
  CHECK(world.reason(queued) == Reason::kDeadline);
}

TEST_CASE("without waiters no wake-up is scheduled") {
  ServiceHarness world;
  CHECK_FALSE(world.service->wait_time());
  world.query_and_complete("token", status(200));
  CHECK_FALSE(world.service->wait_time());
  world.query("other", {.timeout = 1s, .connection = 5});
  CHECK(world.service->wait_time() == 1s);
  world.service->disconnected(5);
  CHECK_FALSE(world.service->wait_time());
}

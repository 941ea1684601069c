// max_age: how old a confirmation may be, and which flight can provide it.
#include "tests/support/catch.h"
#include "tests/support/service_harness.h"

using namespace claimsd;
using namespace claimsd::claims;
using namespace claimsd::testing;
using namespace std::chrono_literals;
using proto::Reason;
using proto::Source;

TEST_CASE("an entry answers queries that accept its age, and no others") {
  ServiceHarness world;
  world.query_and_complete("token", status(200));
  world.advance(10s);
  CHECK(world.query_now("token", {.max_age = 10s}).answer.source == Source::kCache);
  CHECK_FALSE(world.answered(world.query("token", {.max_age = 10s - 1ns})));
  CHECK(world.upstream.requests() == 2);
}

TEST_CASE("max_age 0 always makes a request, even at the same moment") {
  ServiceHarness world;
  for (std::size_t i = 1; i <= 3; ++i) {
    CHECK(world.query_and_complete("token", status(200), {.max_age = 0s}).answer.source ==
          Source::kUpstream);
    CHECK(world.upstream.requests() == i);
  }
}

TEST_CASE("a confirmation requested with max_age 0 is cached for all clients") {
  ServiceHarness world;
  world.query_and_complete("token", status(200));
  world.advance(59s);
  world.query_and_complete("token", status(200, R"({"id":"new"})"), {.max_age = 0s});
  world.advance(59s);
  const RecordedAnswer answer = world.query_now("token");
  CHECK(answer.answer.age == 59s);
  CHECK(answer.claims.find("new") != std::string::npos);
}

TEST_CASE("a query joins a flight that started recently enough") {
  ServiceHarness world;
  world.query("token");
  world.advance(10s);
  const Waiter joins = world.query("token", {.max_age = 10s});
  world.complete_oldest(status(200));
  CHECK(world.reason(joins) == Reason::kOk);
  CHECK(world.upstream.requests() == 1);
}

TEST_CASE("queries for which a flight started too long ago share one successor") {
  ServiceHarness world;
  const Waiter plain = world.query("token");
  world.advance(10s);
  const Waiter strict = world.query("token", {.max_age = 10s - 1ns});
  const Waiter strictest = world.query("token", {.max_age = 0s});
  CHECK(world.upstream.requests() == 1);
  world.complete_oldest(status(200));
  CHECK(world.reason(plain) == Reason::kOk);
  CHECK_FALSE(world.answered(strict));
  CHECK(world.upstream.requests() == 2);
  world.advance(1s);
  world.complete_oldest(status(401));
  CHECK(world.reason(strict) == Reason::kRejected);
  CHECK(world.reason(strictest) == Reason::kRejected);
  CHECK(world.answer(strict).answer.age == 1s);
  CHECK(world.upstream.requests() == 2);
  CHECK(world.service->idle());
}

TEST_CASE("a flight that starts at the same moment is too old for max_age 0") {
  ServiceHarness world;
  world.query("token");
  const Waiter strict = world.query("token", {.max_age = 0s});
  world.complete_oldest(status(200));
  CHECK_FALSE(world.answered(strict));
  CHECK(world.upstream.requests() == 2);
}

TEST_CASE("a pending flight is recent enough for any query") {
  Policy policy = plain_policy();
  policy.max_in_flight = 1;
  ServiceHarness world(policy);
  world.query("other");
  world.query("token");
  world.advance(10s);
  const Waiter strict = world.query("token", {.max_age = 0s});
  world.complete_for("other", status(200));
  world.complete_for("token", status(200));
  CHECK(world.reason(strict) == Reason::kOk);
  CHECK(world.upstream.requests() == 2);
}

TEST_CASE("the failure of a flight does not affect its successor") {
  ServiceHarness world;
  const Waiter plain = world.query("token");
  const Waiter strict = world.query("token", {.max_age = 0s});
  world.complete_oldest(failed(Reason::kUpstreamTimeout));
  CHECK(world.reason(plain) == Reason::kUpstreamTimeout);
  CHECK_FALSE(world.answered(strict));
  world.complete_oldest(status(200));
  CHECK(world.reason(strict) == Reason::kOk);
}

TEST_CASE("a successor can have a successor") {
  ServiceHarness world;
  world.query("token");
  const Waiter second = world.query("token", {.max_age = 0s});
  world.complete_oldest(status(200));
  const Waiter third = world.query("token", {.max_age = 0s});
  world.complete_oldest(status(200));
  CHECK(world.answered(second));
  CHECK_FALSE(world.answered(third));
  world.complete_oldest(status(200));
  CHECK(world.answered(third));
  CHECK(world.upstream.requests() == 3);
}

TEST_CASE("a successor without waiters is never sent") {
  ServiceHarness world;
  world.query("token", {.connection = 1});
  world.query("token", {.max_age = 0s, .connection = 2});
  const Waiter late = world.query("token", {.max_age = 0s, .timeout = 1s, .connection = 3});
  world.service->disconnected(2);
  world.advance(1s);
  CHECK(world.reason(late) == Reason::kDeadline);
  world.complete_oldest(status(200));
  CHECK(world.upstream.requests() == 1);
  CHECK(world.service->flights().in_flight() == 0);
  CHECK(world.service->flights().pending() == 0);
}

TEST_CASE("deadlines apply while a successor is pending") {
  ServiceHarness world;
  world.query("token");
  const Waiter strict = world.query("token", {.max_age = 0s, .timeout = 5s});
  world.advance(4s);
  world.complete_oldest(status(200));
  world.advance(1s - 1ns);
  CHECK_FALSE(world.answered(strict));
  world.advance(1ns);
  CHECK(world.reason(strict) == Reason::kDeadline);
}

TEST_CASE("a successor queues behind requests that were pending already") {
  Policy policy = plain_policy();
  policy.max_in_flight = 1;
  ServiceHarness world(policy);
  world.query("a");
  world.query("a", {.max_age = 0s});
  world.query("b");
  world.complete_oldest(status(200));
  CHECK(world.upstream.in_flight()[0].token == "b");
  world.complete_oldest(status(200));
  CHECK(world.upstream.in_flight()[0].token == "a");
}

TEST_CASE("a negative entry answers queries that accept its age, and no others") {
  ServiceHarness world;
  world.query_and_complete("token", status(401));
  CHECK_FALSE(world.answered(world.query("token", {.max_age = 0s})));
  world.complete_oldest(status(401));
  world.advance(2s);
  CHECK(world.query_now("token", {.max_age = 2s}).answer.reason == Reason::kRejected);
  CHECK_FALSE(world.answered(world.query("token", {.max_age = 2s - 1ns})));
}

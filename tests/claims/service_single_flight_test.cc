// Single flight: one request in flight per token, for any number of queries.
#include "tests/support/catch.h"
#include "tests/support/service_harness.h"

using namespace claimsd;
using namespace claimsd::claims;
using namespace claimsd::testing;
using namespace std::chrono_literals;
using proto::Reason;

TEST_CASE("a thousand queries for one uncached token share one request and its answer") {
  ServiceHarness world;
  std::vector<Waiter> waiters;
  for (std::uint64_t i = 0; i < 1000; ++i)
    waiters.push_back(world.query("token", {.connection = i + 1}));
  CHECK(world.upstream.requests() == 1);
  CHECK(world.service->flights().waiting() == 1000);
  world.complete_oldest(status(200));
  const std::string claims = world.answer(waiters[0]).claims;
  for (const Waiter& waiter : waiters) {
    CHECK(world.reason(waiter) == Reason::kOk);
    CHECK(world.answer(waiter).claims == claims);
  }
  CHECK(world.upstream.requests() == 1);
  CHECK(world.counters().joined_flights == 999);
  CHECK(world.service->idle());
}

TEST_CASE("waiters are answered in the order of their queries") {
  ServiceHarness world;
  for (std::uint64_t i = 0; i < 10; ++i) world.query("token", {.connection = 10 - i});
  world.complete_oldest(status(200));
  for (std::uint32_t i = 0; i < 10; ++i) CHECK(world.sink.order()[i].request == i + 1);
}

TEST_CASE("a flight continues when its first client disconnects") {
  ServiceHarness world;
  const Waiter first = world.query("token", {.connection = 1});
  const Waiter second = world.query("token", {.connection = 2});
  world.service->disconnected(1);
  world.complete_oldest(status(200));
  CHECK_FALSE(world.answered(first));
  CHECK(world.reason(second) == Reason::kOk);
}

TEST_CASE("a disconnect drops all queries of that connection and no others") {
  ServiceHarness world;
  const Waiter before = world.query("a", {.connection = 6});
  const Waiter a = world.query("a", {.connection = 7});
  const Waiter b = world.query("b", {.connection = 7});
  const Waiter after = world.query("b", {.connection = 8});
  world.service->disconnected(7);
  CHECK(world.service->flights().waiting() == 2);
  world.service->disconnected(99);
  world.complete_oldest(status(200));
  world.complete_oldest(status(200));
  CHECK_FALSE(world.answered(a));
  CHECK_FALSE(world.answered(b));
  CHECK(world.answered(before));
  CHECK(world.answered(after));
}

TEST_CASE("the result of a flight without waiters is cached") {
  ServiceHarness world;
  world.query("token", {.connection = 1});
  world.service->disconnected(1);
  CHECK(world.service->idle());
  world.complete_oldest(status(200));
  CHECK(world.query_now("token").answer.source == proto::Source::kCache);
  CHECK(world.upstream.requests() == 1);
}

TEST_CASE("a failure is given to all waiters") {
  ServiceHarness world;
  std::vector<Waiter> waiters;
  for (std::uint64_t i = 0; i < 100; ++i)
    waiters.push_back(world.query("token", {.connection = i + 1}));
  world.complete_oldest(failed(Reason::kUpstreamConnect));
  for (const Waiter& waiter : waiters) CHECK(world.reason(waiter) == Reason::kUpstreamConnect);
  CHECK(world.upstream.requests() == 1);
}

TEST_CASE("different tokens have separate flights that complete in any order") {
  ServiceHarness world;
  const Waiter a = world.query("a");
  const Waiter b = world.query("b");
  const Waiter c = world.query("c");
  world.complete_for("b", status(401));
  CHECK(world.reason(b) == Reason::kRejected);
  CHECK_FALSE(world.answered(a));
  world.complete_for("c", status(200));
  world.complete_for("a", failed(Reason::kUpstreamTimeout));
  CHECK(world.reason(a) == Reason::kUpstreamTimeout);
  CHECK(world.reason(c) == Reason::kOk);
}

TEST_CASE("the same token at two Auth APIs has two flights") {
  Policy policy = plain_policy();
  policy.upstreams.push_back(UpstreamPolicy{.name = "other", .rejection_statuses = {401, 403}});
  ServiceHarness world(policy);
  const Waiter main = world.query("token", {.upstream = 0});
  const Waiter other = world.query("token", {.upstream = 1});
  REQUIRE(world.upstream.in_flight().size() == 2);
  CHECK(world.upstream.in_flight()[0].upstream == 0);
  CHECK(world.upstream.in_flight()[1].upstream == 1);
  world.complete_oldest(status(200));
  world.complete_oldest(status(403));
  CHECK(world.reason(main) == Reason::kOk);
  CHECK(world.reason(other) == Reason::kRejected);
  CHECK(world.query_now("token", {.upstream = 0}).answer.reason == Reason::kOk);
  CHECK(world.query_now("token", {.upstream = 1}).answer.reason == Reason::kRejected);
}

TEST_CASE("the completion of an unknown request is ignored") {
  ServiceHarness world;
  const Waiter waiter = world.query("token");
  world.service->on_complete(4711, status(401));
  CHECK_FALSE(world.answered(waiter));
  const FlightId id = world.upstream.in_flight()[0].id;
  world.complete(id, status(200));
  world.service->on_complete(id, status(401));
  CHECK(world.query_now("token").answer.reason == Reason::kOk);
}

TEST_CASE("a sink may disconnect other waiters while handling an answer") {
  ServiceHarness world;
  const Waiter first = world.query("token", {.connection = 1});
  const Waiter second = world.query("token", {.connection = 2});
  const Waiter third = world.query("token", {.connection = 3});
  const Waiter elsewhere = world.query("other", {.connection = 2});
  world.sink.on_answer = [&](const Waiter& waiter) {
    world.service->disconnected(waiter.connection);
    if (waiter.connection == 1) world.service->disconnected(2);
  };
  world.complete_oldest(status(200));
  world.complete_oldest(status(200));
  CHECK(world.answered(first));
  CHECK_FALSE(world.answered(second));
  CHECK(world.answered(third));
  CHECK_FALSE(world.answered(elsewhere));
  CHECK(world.service->idle());
}

TEST_CASE("a sink may disconnect waiters while handling timeouts") {
  ServiceHarness world;
  for (std::uint64_t i = 0; i < 10; ++i) {
    world.query("a", {.timeout = 1s, .connection = i});
    world.query("b", {.timeout = 1s, .connection = i});
  }
  world.sink.on_answer = [&](const Waiter& waiter) {
    world.service->disconnected(waiter.connection);
    world.service->disconnected(waiter.connection + 1);
  };
  world.advance(1s);
  CHECK(world.sink.order().size() == 5);
  CHECK(world.service->idle());
}

TEST_CASE("a query made by the sink while handling an answer joins the next flight") {
  ServiceHarness world;
  world.query("token", {.connection = 1});
  world.advance(1s);
  const Waiter waits_for_next = world.query("token", {.max_age = 0s, .connection = 2});
  std::optional<Waiter> again;
  world.sink.on_answer = [&](const Waiter&) {
    world.sink.on_answer = nullptr;
    again = world.query("token", {.max_age = 0s, .connection = 3});
  };
  world.complete_oldest(
      status(200));  // FakeUpstream throws on two concurrent requests for one token
  REQUIRE(again);
  CHECK(world.upstream.in_flight().size() == 1);
  world.complete_oldest(status(401));
  CHECK(world.reason(waits_for_next) == Reason::kRejected);
  CHECK(world.reason(*again) == Reason::kRejected);
  CHECK(world.service->idle());
}

TEST_CASE("queries made by the sink while handling a failure cause one request") {
  ServiceHarness world;
  for (std::uint64_t i = 0; i < 50; ++i) world.query("token", {.connection = i + 1});
  int retries = 0;
  world.sink.on_answer = [&](const Waiter&) {
    if (++retries <= 50) world.query("token", {.connection = 100});
  };
  world.complete_oldest(failed(Reason::kUpstreamConnect));
  CHECK(world.upstream.requests() == 2);
  CHECK(world.service->flights().waiting() == 50);
}

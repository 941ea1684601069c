// Limits on requests in flight, pending requests and waiters.
#include "tests/support/catch.h"
#include "tests/support/service_harness.h"

using namespace claimsd;
using namespace claimsd::claims;
using namespace claimsd::testing;
using namespace std::chrono_literals;
using proto::Reason;
using proto::Source;

namespace {

Policy narrow(std::size_t in_flight, std::size_t pending) {
  Policy policy = plain_policy();
  policy.max_in_flight = in_flight;
  policy.max_pending = pending;
  return policy;
}

}  // namespace

TEST_CASE("requests in flight are limited, and pending ones start in order") {
  ServiceHarness world(narrow(2, 100));
  for (int i = 0; i < 6; ++i) world.query("token" + std::to_string(i));
  CHECK(world.upstream.in_flight().size() == 2);
  CHECK(world.service->flights().in_flight() == 2);
  CHECK(world.service->flights().pending() == 4);
  std::vector<std::string> action;
  while (!world.upstream.in_flight().empty()) {
    CHECK(world.upstream.in_flight().size() <= 2);
    action.push_back(world.upstream.in_flight()[0].token);
    world.complete_oldest(status(200));
  }
  CHECK(action ==
        std::vector<std::string>{"token0", "token1", "token2", "token3", "token4", "token5"});
  CHECK(world.service->idle());
}

TEST_CASE("a failed request frees its slot for the next") {
  ServiceHarness world(narrow(1, 100));
  world.query("a");
  world.query("b");
  world.complete_oldest(failed(Reason::kUpstreamTimeout));
  CHECK(world.upstream.in_flight()[0].token == "b");
}

TEST_CASE("a query that finds the queue full fails immediately as overloaded") {
  ServiceHarness world(narrow(1, 2));
  world.query("a");
  world.query("b");
  world.query("c");
  const RecordedAnswer turned_away = world.query_now("d");
  CHECK(turned_away.answer.reason == Reason::kOverloaded);
  CHECK(proto::verdict_of(turned_away.answer.reason) == proto::Verdict::kUnavailable);
  CHECK(world.counters().overloads == 1);
  CHECK_FALSE(
      world.answered(world.query("c")));  // joins a flight, so it needs no place in the queue
  world.complete_oldest(status(200));
  CHECK_FALSE(world.answered(world.query("d")));
}

TEST_CASE("without a queue, queries beyond the limit in flight fail immediately") {
  ServiceHarness world(narrow(2, 0));
  CHECK_FALSE(world.answered(world.query("a")));
  CHECK_FALSE(world.answered(world.query("b")));
  CHECK(world.query_now("c").answer.reason == Reason::kOverloaded);
  world.complete_oldest(status(200));
  CHECK_FALSE(world.answered(world.query("c")));
  CHECK(world.upstream.requests() == 3);
}

TEST_CASE("the number of waiters is limited, and slots are freed") {
  Policy policy = plain_policy();
  policy.max_waiters = 3;
  ServiceHarness world(policy);
  world.query("a", {.connection = 1});
  world.query("a", {.connection = 2});
  world.query("b", {.timeout = 1s, .connection = 3});
  CHECK(world.query_now("a").answer.reason == Reason::kTooManyWaiting);
  CHECK(world.query_now("c").answer.reason == Reason::kTooManyWaiting);
  world.advance(1s);
  CHECK_FALSE(world.answered(world.query("c", {.connection = 4})));
  CHECK(world.query_now("d").answer.reason == Reason::kTooManyWaiting);
  world.service->disconnected(4);
  CHECK_FALSE(world.answered(world.query("d")));
  world.complete_for("a", status(200));
  CHECK_FALSE(world.answered(world.query("e")));
}

TEST_CASE("clients that connect and disconnect during a slow request do not grow its waiter list") {
  Policy policy = plain_policy();
  policy.max_waiters = 100;
  ServiceHarness world(policy);
  world.query("token", {.connection = 1});
  std::size_t turned_away = 0;
  for (std::uint64_t i = 2; i < 302; ++i) {
    const QueryParameters parameters{
        .max_age = i % 2 == 0 ? std::optional<Duration>(0s) : std::nullopt, .connection = i};
    const Waiter waiter = world.query("token", parameters);
    if (world.answered(waiter)) ++turned_away;
    world.service->disconnected(i);
  }
  CHECK(turned_away == 201);
}

TEST_CASE("hits are answered when all queues are full") {
  ServiceHarness world(narrow(1, 1));
  world.query_and_complete("good", status(200));
  world.query_and_complete("bad", status(401));
  world.query("hangs");
  world.query("queued");
  CHECK(world.query_now("another").answer.reason == Reason::kOverloaded);
  CHECK(world.query_now("good").answer.reason == Reason::kOk);
  CHECK(world.query_now("bad").answer.reason == Reason::kRejected);
}

TEST_CASE("a pending request without waiters is never sent and uses no slot") {
  ServiceHarness world(narrow(1, 100));
  world.query("a", {.connection = 1});
  world.query("gone", {.connection = 2});
  const Waiter late = world.query("late", {.timeout = 1s, .connection = 3});
  const Waiter stays = world.query("stays", {.connection = 4});
  world.service->disconnected(2);
  world.advance(1s);
  CHECK(world.reason(late) == Reason::kDeadline);
  world.complete_oldest(status(200));
  REQUIRE(world.upstream.in_flight().size() == 1);
  CHECK(world.upstream.in_flight()[0].token == "stays");
  CHECK(world.upstream.requests() == 2);
  world.complete_oldest(status(200));
  CHECK(world.answered(stays));
  CHECK(world.service->flights().pending() == 0);
  CHECK(world.counters().upstream_requests == 2);
}

TEST_CASE("an abandoned pending request that is queried again keeps its place") {
  ServiceHarness world(narrow(1, 100));
  world.query("a", {.connection = 1});
  world.query("b", {.connection = 2});
  world.query("c", {.connection = 3});
  world.service->disconnected(2);
  const Waiter again = world.query("b", {.connection = 4});
  world.complete_oldest(status(200));
  CHECK(world.upstream.in_flight()[0].token == "b");
  world.complete_oldest(status(200));
  CHECK(world.answered(again));
}

TEST_CASE("repeated queries of a pending token cause one request") {
  ServiceHarness world(narrow(1, 100));
  world.query("a");
  world.complete_oldest(status(200));
  world.query("b");
  world.query("a", {.max_age = 0s});
  world.query("a", {.max_age = 0s});
  world.complete_oldest(status(200));
  world.complete_oldest(status(200));
  CHECK(world.upstream.requests() == 3);
  CHECK(world.service->idle());
}

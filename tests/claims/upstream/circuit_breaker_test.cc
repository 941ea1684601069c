// Circuit breakers, retries, URL failover and the fair queue.
#include "daemon/claims/upstream/circuit_breaker.h"

#include <cstring>

#include "daemon/claims/upstream/fair_queue.h"
#include "daemon/claims/upstream/token_breaker.h"
#include "daemon/claims/upstream/url_failover.h"
#include "tests/support/catch.h"
#include "tests/support/service_harness.h"

using namespace claimsd;
using namespace claimsd::claims;
using namespace claimsd::testing;
using namespace std::chrono_literals;
using proto::Reason;

namespace {

constexpr BootTime kStart{1000s};

Policy careful() {
  Policy policy = plain_policy();
  policy.breaker = BreakerPolicy{};
  return policy;
}

void fail(ServiceHarness& world, int times, Reason reason = Reason::kUpstreamConnect) {
  static int number = 0;
  for (int i = 0; i < times; ++i)
    world.query_and_complete("failing" + std::to_string(number++), failed(reason));
}

Duration backoff_remaining(const CircuitBreaker& breaker, BootTime now) {
  return breaker.backoff_remaining(now).value_or(0s);
}

}  // namespace

TEST_CASE("consecutive failures open the breaker, and a success resets their count") {
  CircuitBreaker breaker(BreakerPolicy{.failure_threshold = 3});
  SeededRandom random(1);
  breaker.failed(kStart, {0s}, random);
  breaker.failed(kStart, {0s}, random);
  breaker.succeeded();
  breaker.failed(kStart, {0s}, random);
  breaker.failed(kStart, {0s}, random);
  CHECK(breaker.state() == CircuitBreaker::State::kClosed);
  breaker.failed(kStart, {0s}, random);
  CHECK(breaker.state() == CircuitBreaker::State::kOpen);
  CHECK_FALSE(breaker.admits(kStart, 0));
}

TEST_CASE("the backoff doubles from one second to thirty, with full jitter") {
  Duration longest[8] = {};
  Duration shortest = 1h;
  for (std::uint64_t seed = 0; seed < 400; ++seed) {
    SeededRandom random(seed);
    CircuitBreaker breaker(BreakerPolicy{.failure_threshold = 1});
    BootTime now = kStart;
    for (Duration& most : longest) {
      breaker.failed(now, {0s}, random);
      const Duration wait = backoff_remaining(breaker, now);
      most = std::max(most, wait);
      shortest = std::min(shortest, wait);
      now += wait;
      REQUIRE(breaker.admits(now, 0));
      breaker.started(now);
    }
  }
  const Duration bounds[] = {1s, 2s, 4s, 8s, 16s, 30s, 30s, 30s};
  for (int i = 0; i < 8; ++i) {
    CHECK(longest[i] <= bounds[i]);
    CHECK(longest[i] > bounds[i] * 9 / 10);
  }
  CHECK(shortest >= 100ms);
  CHECK(shortest < 200ms);
}

TEST_CASE("Retry-After opens the breaker immediately, up to a limit") {
  SeededRandom random(1);
  CircuitBreaker breaker(BreakerPolicy{});
  breaker.failed(kStart, {20s}, random);
  CHECK(backoff_remaining(breaker, kStart) == 20s);
  breaker.failed(kStart, {10h}, random);  // a request that was in flight
  CHECK(backoff_remaining(breaker, kStart) == 300s);
}

TEST_CASE("a half-open breaker allows one probe at a time") {
  SeededRandom random(1);
  CircuitBreaker breaker(BreakerPolicy{.failure_threshold = 1});
  breaker.failed(kStart, {5s}, random);
  const BootTime later = kStart + 5s;
  REQUIRE(breaker.admits(later, 0));
  breaker.started(later);
  CHECK_FALSE(breaker.admits(later, 1));
  CHECK_FALSE(breaker.admits(later + 1h, 1));
  breaker.failed(later, {0s}, random);
  CHECK_FALSE(breaker.admits(later, 0));
}

TEST_CASE("after an outage the limit of requests in flight grows by one per success") {
  SeededRandom random(1);
  CircuitBreaker breaker(BreakerPolicy{.failure_threshold = 1, .max_in_flight = 8});
  breaker.failed(kStart, {5s}, random);
  breaker.started(kStart + 5s);
  breaker.succeeded();
  for (const std::uint32_t window : {2u, 3u, 4u, 5u, 6u, 7u, 8u, 8u}) {
    CHECK(breaker.window() == window);
    CHECK(breaker.admits(kStart + 5s, window - 1));
    CHECK_FALSE(breaker.admits(kStart + 5s, window));
    breaker.succeeded();
  }
}

TEST_CASE("the retry budget is one fifth of all requests plus a small reserve") {
  CircuitBreaker breaker(BreakerPolicy{});
  int retries = 0;
  while (breaker.take_retry()) ++retries;
  CHECK(retries == 10);
  retries = 0;
  for (int i = 0; i < 1000; ++i) {
    breaker.started(kStart);
    if (breaker.take_retry()) ++retries;
  }
  CHECK(retries == 200);
}

TEST_CASE("the first working URL is used, and a failed one is retried by a single request") {
  UrlFailover urls(3);
  CHECK(urls.pick(kStart) == 0);
  urls.failed(0, kStart);
  CHECK(urls.pick(kStart) == 1);
  urls.failed(1, kStart + 1s);
  CHECK(urls.pick(kStart + 1s) == 2);
  urls.failed(2, kStart + 2s);
  CHECK(urls.pick(kStart + 2s) == 0);  // the one that failed earliest
  urls.worked(2);
  CHECK(urls.pick(kStart + 3s) == 2);
  CHECK(urls.pick(kStart + UrlFailover::kPause) == 0);
  CHECK(urls.pick(kStart + UrlFailover::kPause) == 2);
  urls.worked(0);
  CHECK(urls.pick(kStart + UrlFailover::kPause) == 0);
}

TEST_CASE("uids take turns, and tokens that were valid go first without starving others") {
  FairQueue queue;
  for (FlightId id = 100; id < 110; ++id) queue.push(id, 1, false);
  queue.push(200, 2, false);
  queue.push(201, 2, true);
  std::vector<FlightId> action;
  while (!queue.empty()) action.push_back(queue.pop());
  CHECK(std::vector(action.begin(), action.begin() + 5) ==
        std::vector<FlightId>{100, 201, 101, 200, 102});
  for (FlightId id = 0; id < 8; ++id) queue.push(id, 1, id < 6);
  action.clear();
  while (!queue.empty()) action.push_back(queue.pop());
  CHECK(action == std::vector<FlightId>{0, 1, 2, 6, 3, 4, 5, 7});
}

TEST_CASE("while the breaker is open queries fail immediately") {
  ServiceHarness world(careful());
  fail(world, 3);
  const RecordedAnswer answer = world.query_now("token");
  CHECK(answer.answer.reason == Reason::kBackoff);
  CHECK(answer.answer.retry_after > 0s);
  CHECK(answer.answer.retry_after <= 1s);
  CHECK(world.upstream.requests() == 3);
  CHECK(world.counters().backoffs == 1);
  world.advance(1s);
  CHECK(world.query_and_complete("token", status(200)).answer.reason == Reason::kOk);
}

TEST_CASE("while the breaker is open cached tokens are still answered") {
  ServiceHarness world(careful());
  world.query_and_complete("known", status(200));
  world.query_and_complete("bad", status(401));
  fail(world, 3);
  CHECK(world.query_now("known").answer.reason == Reason::kOk);
  CHECK(world.query_now("bad").answer.reason == Reason::kRejected);
}

TEST_CASE("when the breaker opens, pending queries and successors fail immediately") {
  Policy policy = careful();
  policy.max_in_flight = 1;
  ServiceHarness world(policy);
  fail(world, 2);
  const Waiter flies = world.query("a");
  const Waiter again = world.query("a", {.max_age = 0s});
  const Waiter waits = world.query("b");
  world.complete_oldest(failed(Reason::kUpstreamTimeout));
  CHECK(world.reason(flies) == Reason::kUpstreamTimeout);
  CHECK(world.reason(again) == Reason::kBackoff);
  CHECK(world.reason(waits) == Reason::kBackoff);
  CHECK(world.service->idle());
}

TEST_CASE("a half-open breaker sends one query; others fail until it completes") {
  ServiceHarness world(careful());
  fail(world, 3);
  world.advance(1s);
  const Waiter probe = world.query("probe");
  const Waiter with_it = world.query("probe");
  CHECK(world.query_now("other").answer.reason == Reason::kBackoff);
  CHECK(world.upstream.in_flight().size() == 1);
  world.complete_oldest(failed(Reason::kUpstreamConnect));
  CHECK(world.reason(probe) == Reason::kUpstreamConnect);
  CHECK(world.reason(with_it) == Reason::kUpstreamConnect);
  CHECK(world.query_now("other").answer.reason == Reason::kBackoff);
}

TEST_CASE("responses about a single token do not open the Auth API's breaker") {
  ServiceHarness world(careful());
  for (int i = 0; i < 20; ++i) {
    world.query_and_complete("a", status(200, "not claims"));
    world.query_and_complete("b", status(404));
    world.query_and_complete("c", status(401));
  }
  CHECK(world.query_and_complete("token", status(200)).answer.reason == Reason::kOk);
  for (const int code : {500, 503, 429})
    world.query_and_complete("token" + std::to_string(code), status(code));
  CHECK(world.query_now("another").answer.reason == Reason::kBackoff);
}

TEST_CASE("a token that repeatedly fails backs off without affecting other tokens") {
  const bool times_out = GENERATE(false, true);
  const auto outcome = [&] { return times_out ? failed(Reason::kUpstreamTimeout) : status(500); };
  ServiceHarness world(careful());
  for (int i = 0; i < 3; ++i)
    CHECK(world.query_and_complete("poison", outcome()).answer.reason != Reason::kBackoff);
  const RecordedAnswer turned_away = world.query_now("poison");
  CHECK(turned_away.answer.reason == Reason::kBackoff);
  CHECK(turned_away.answer.retry_after > 0s);
  CHECK(turned_away.answer.retry_after <= 1s);
  CHECK(world.counters().token_backoffs == 1);
  CHECK(world.counters().backoffs == 0);
  CHECK(world.query_and_complete("token", status(200)).answer.reason == Reason::kOk);

  // Query it every second for ten minutes.
  const std::uint64_t before = world.counters().upstream_requests;
  for (int second = 0; second < 600; ++second) {
    world.advance(1s);
    world.query("poison");
    if (!world.upstream.in_flight().empty()) world.complete_oldest(outcome());
    REQUIRE(world.query_and_complete("token" + std::to_string(second), status(404)).answer.reason ==
            Reason::kUpstreamStatus);
  }
  const std::uint64_t of_poison = world.counters().upstream_requests - before - 600;
  CHECK(of_poison > 600 / 30);
  CHECK(of_poison < 120);  // average backoff with full jitter is half of 30 s, plus the ramp to it
  // Once the Auth API accepts it, it is answered like any other.
  world.advance(30s);
  CHECK(world.query_and_complete("poison", status(200)).answer.reason == Reason::kOk);
}

TEST_CASE("a throttled token backs off for its Retry-After without affecting other tokens") {
  ServiceHarness world(careful());
  FetchOutcome throttled = status(429);
  throttled.retry_after = std::chrono::seconds(300);
  world.query_and_complete("greedy", throttled);
  CHECK(world.query_and_complete("token", status(200)).answer.reason == Reason::kOk);
  world.advance(299s);
  CHECK(world.query_now("greedy").answer.reason == Reason::kBackoff);
  world.advance(1s);
  CHECK(world.query_and_complete("greedy", status(200)).answer.reason == Reason::kOk);
  // If several tokens are throttled, the breaker opens for all.
  for (int i = 0; i < 3; ++i) world.query_and_complete("other" + std::to_string(i), throttled);
  const RecordedAnswer another = world.query_now("another");
  CHECK(another.answer.reason == Reason::kBackoff);
  CHECK(another.answer.retry_after == 300s);
}

TEST_CASE("a probe that fails with a known failing token is excused once") {
  ServiceHarness world(careful());
  for (int i = 0; i < 3; ++i) world.query_and_complete("poison" + std::to_string(i), status(500));
  REQUIRE(world.query_now("token").answer.reason == Reason::kBackoff);
  world.advance(1s);
  CHECK(world.query_and_complete("poison0", status(500)).answer.reason == Reason::kUpstreamStatus);
  SECTION("probe with another token that works") {
    CHECK(world.query_and_complete("token", status(200)).answer.reason == Reason::kOk);
    CHECK(world.query_and_complete("another", status(200)).answer.reason == Reason::kOk);
  }
  SECTION("probe with the same token again: still excused") {
    CHECK(world.query_and_complete("poison0", status(500)).answer.reason ==
          Reason::kUpstreamStatus);
    CHECK(world.query_and_complete("token", status(200)).answer.reason == Reason::kOk);
  }
  SECTION("probe with another failing token: the breaker opens") {
    CHECK(world.query_and_complete("poison1", status(500)).answer.reason ==
          Reason::kUpstreamStatus);
    CHECK(world.query_now("token").answer.reason == Reason::kBackoff);
  }
}

TEST_CASE("a successor of a token that starts to back off fails immediately") {
  ServiceHarness world(careful());
  for (int i = 0; i < 2; ++i) world.query_and_complete("poison", status(500));
  const Waiter flies = world.query("poison");
  world.advance(1ms);
  const Waiter again = world.query("poison", {.max_age = 0s});
  world.complete_oldest(status(500));
  CHECK(world.reason(flies) == Reason::kUpstreamStatus);
  CHECK(world.reason(again) == Reason::kBackoff);
  CHECK(world.service->idle());
}

TEST_CASE("a failing token does not disable a URL for others") {
  Policy policy = careful();
  policy.upstreams[0].urls = 2;
  ServiceHarness world(policy);
  world.query("poison");
  world.complete_oldest(status(500));
  world.complete_oldest(status(500));
  world.advance(UrlFailover::kPause);
  world.query_and_complete("token", status(200));  // at the first URL, which works
  world.query("poison");
  world.complete_oldest(status(500));
  CHECK(world.upstream.in_flight().empty());
  world.query("another");
  REQUIRE(world.upstream.in_flight().size() == 1);
  CHECK(world.upstream.in_flight()[0].url == 0);
}

TEST_CASE("the token breaker's memory expires and is bounded") {
  SeededRandom random(1);
  TokenBreaker tokens(BreakerPolicy{});
  const auto key = [](std::uint32_t number) {
    TokenKey made;
    std::memcpy(made.bytes.data(), &number, sizeof number);
    return made;
  };
  tokens.failed(key(0), kStart, 0s, random);
  CHECK(tokens.holds(key(0), kStart + 89s));
  CHECK_FALSE(tokens.holds(key(0), kStart + 90s));
  tokens.worked(key(0));
  CHECK_FALSE(tokens.holds(key(0), kStart));
  for (std::uint32_t i = 0; i < 3 * TokenBreaker::kMaxTokens; ++i)
    tokens.failed(key(i), kStart, 0s, random);
  std::size_t held = 0;
  for (std::uint32_t i = 0; i < 3 * TokenBreaker::kMaxTokens; ++i)
    held += tokens.holds(key(i), kStart);
  CHECK(held == 2 * TokenBreaker::kMaxTokens);
}

TEST_CASE("a dead Auth API uses no slots of another") {
  Policy policy = careful();
  policy.upstreams.push_back({.name = "second"});
  policy.max_in_flight = 2;
  policy.max_pending = 4;
  ServiceHarness world(policy);
  for (int i = 0; i < 20; ++i) world.query("hangs" + std::to_string(i));
  CHECK(world.service->flights().in_flight() == 2);
  const Waiter other = world.query("token", {.upstream = 1});
  CHECK(world.upstream.in_flight().size() == 3);
  world.complete_for("token", status(200));
  CHECK(world.reason(other) == Reason::kOk);
}

TEST_CASE("after a partition requests ramp up, and no token was reported invalid") {
  ServiceHarness world(careful());
  std::vector<Waiter> waiters;
  for (int second = 0; second < 60; ++second) {
    for (int i = 0; i < 50; ++i) waiters.push_back(world.query("hot" + std::to_string(i)));
    while (!world.upstream.in_flight().empty())
      world.complete_oldest(failed(Reason::kUpstreamTimeout));
    world.advance(1s);
  }
  CHECK(world.upstream.requests() < 80);  // 64 in flight when it began, then probes
  for (const Waiter& waiter : waiters)
    CHECK(proto::verdict_of(world.reason(waiter)) == proto::Verdict::kUnavailable);
  world.advance(30s);
  std::size_t most = 0;
  for (int i = 0; i < 5000; ++i) {
    world.query("hot" + std::to_string(i));
    if (i % 20 == 0 && !world.upstream.in_flight().empty()) world.complete_oldest(status(200));
    if (i < 200) most = std::max(most, world.upstream.in_flight().size());
  }
  CHECK(most <= 12);
  while (!world.upstream.in_flight().empty()) {
    CHECK(world.upstream.in_flight().size() <= 64);
    world.complete_oldest(status(200));
  }
}

TEST_CASE(
    "a request that fails at one URL is repeated at the next, and later requests start there") {
  Policy policy = careful();
  policy.upstreams[0].urls = 2;
  ServiceHarness world(policy);
  const Waiter waiter = world.query("a");
  REQUIRE(world.upstream.in_flight()[0].url == 0);
  world.advance(10ms);
  world.complete_oldest(failed(Reason::kUpstreamConnect));
  CHECK_FALSE(world.answered(waiter));
  REQUIRE(world.upstream.in_flight().size() == 1);
  CHECK(world.upstream.in_flight()[0].url == 1);
  world.complete_oldest(status(200));
  CHECK(world.reason(waiter) == Reason::kOk);
  CHECK(world.answer(waiter).answer.age == 0s);  // of the second request
  world.query("b");
  CHECK(world.upstream.in_flight()[0].url == 1);
  CHECK(world.counters().retries == 1);
}

TEST_CASE("when every URL fails, the query fails after one attempt at each") {
  Policy policy = careful();
  policy.upstreams[0].urls = 2;
  ServiceHarness world(policy);
  const Waiter waiter = world.query("a");
  world.complete_oldest(failed(Reason::kUpstreamConnect));
  world.complete_oldest(failed(Reason::kUpstreamTls));
  CHECK(world.reason(waiter) == Reason::kUpstreamTls);
  CHECK(world.upstream.requests() == 2);
}

TEST_CASE("after a Retry-After no other URL is tried") {
  Policy policy = careful();
  policy.upstreams[0].urls = 2;
  ServiceHarness world(policy);
  world.query("a");
  const Waiter other = world.query("b");
  FetchOutcome busy = status(503);
  busy.retry_after = std::chrono::seconds(30);
  world.complete_for("a", busy);
  world.complete_for("b", failed(Reason::kUpstreamConnect));
  CHECK(world.reason(other) == Reason::kUpstreamConnect);
  CHECK(world.upstream.in_flight().empty());
}

TEST_CASE("a rejection is not retried at another URL") {
  Policy policy = careful();
  policy.upstreams[0].urls = 2;
  ServiceHarness world(policy);
  CHECK(world.query_and_complete("a", status(401)).answer.reason == Reason::kRejected);
  CHECK(world.upstream.requests() == 1);
}

TEST_CASE("at most one fifth of all requests are retried") {
  Policy policy = careful();
  policy.breaker.failure_threshold = 1'000'000;
  policy.upstreams[0].urls = 2;
  ServiceHarness world(policy);
  for (int i = 0; i < 500; ++i) {
    world.query("token" + std::to_string(i));
    while (!world.upstream.in_flight().empty()) {
      // The first URL always fails and is trusted again after each pause.
      const auto flight = world.upstream.in_flight()[0];
      world.complete_oldest(flight.url == 0 ? failed(Reason::kUpstreamConnect) : status(401));
    }
    world.advance(UrlFailover::kPause);
  }
  CHECK(world.counters().retries <= 10 + 500 / 5);
  CHECK(world.counters().retries >= 100);
}

TEST_CASE("the result of a purged flight that was retried afterwards is cached") {
  Policy policy = careful();
  policy.upstreams[0].urls = 2;
  ServiceHarness world(policy);
  world.query("token");
  world.advance(1ms);
  world.purge({.subject = Subject::kToken, .who = "token", .upstream = {}, .length = {}});
  world.advance(1ms);
  world.complete_oldest(failed(Reason::kUpstreamConnect));
  world.complete_oldest(status(200));
  CHECK(world.query_now("token").answer.source == proto::Source::kCache);
}

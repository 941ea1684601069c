// Rate limits on cache misses, and their isolation between peers.
#include "tests/support/catch.h"
#include "tests/support/service_harness.h"

using namespace claimsd;
using namespace claimsd::claims;
using namespace claimsd::testing;
using namespace std::chrono_literals;
using proto::Reason;

namespace {

Policy frugal() {
  Policy policy = plain_policy();
  policy.rate_limit.per_uid = {.per_second = 10, .burst = 40};
  policy.rate_limit.per_client = {.per_second = 2, .burst = 8};
  policy.max_in_flight = 1000;
  return policy;
}

std::string client(std::string_view address) {
  std::string buffer;
  return std::string(client_of(address, buffer));
}

// Queries `count` new tokens and returns how many requests were made.
int flood(ServiceHarness& world, int count, const QueryParameters& parameters = {}) {
  static int number = 0;
  const std::size_t before = world.upstream.requests();
  for (int i = 0; i < count; ++i) {
    world.query("junk" + std::to_string(number++), parameters);
    while (!world.upstream.in_flight().empty()) world.complete_oldest(status(401));
  }
  return static_cast<int>(world.upstream.requests() - before);
}

}  // namespace

TEST_CASE("a flood of unknown tokens reaches the Auth API only at the rate limit") {
  ServiceHarness world(frugal());
  CHECK(flood(world, 1000) == 30);  // the rest of the burst is reserved
  const RecordedAnswer answer = world.query_now("junk");
  CHECK(answer.answer.reason == Reason::kRateLimited);
  CHECK(answer.answer.retry_after > 0s);
  CHECK(answer.answer.retry_after <= 100ms);
  world.advance(1s);
  CHECK(flood(world, 1000) == 10);
}

TEST_CASE("a rate-limited answer names the limit: of the uid or of the client address") {
  ServiceHarness world(frugal());
  flood(world, 10, {.client_address = "192.0.2.1"});
  const RecordedAnswer of_client = world.query_now("junk", {.client_address = "192.0.2.1"});
  CHECK(of_client.answer.reason == Reason::kClientRateLimited);
  CHECK(of_client.answer.retry_after > 0s);
  CHECK(sentence_of(of_client.answer.reason).find("limits.misses_per_client") !=
        std::string_view::npos);
  flood(world, 1000);
  const RecordedAnswer of_uid = world.query_now("junk");
  CHECK(of_uid.answer.reason == Reason::kRateLimited);
  CHECK(sentence_of(of_uid.answer.reason).find("limits.misses_per_uid") != std::string_view::npos);
  CHECK(world.counters().rate_limited > 2);
}

TEST_CASE("queries that name the loopback or an address of this host are not limited per client") {
  Policy policy = frugal();
  policy.rate_limit.own_addresses = {"192.0.2.10", "2001:db8::10"};
  for (const char* const address :
       {"127.0.0.1", "127.8.9.10", "::1", "::ffff:127.0.0.1", "192.0.2.10", "::ffff:192.0.2.10",
        "2001:db8::10", "2001:db8::10%eth0"}) {
    CAPTURE(address);
    ServiceHarness world(policy);
    CHECK(flood(world, 30, {.client_address = address}) == 30);
  }
  for (const char* const address :
       {"192.0.2.11", "10.127.0.1", "2001:db8:0:1::10", "::ffff:192.0.2.11"}) {
    CAPTURE(address);
    ServiceHarness world(policy);
    CHECK(flood(world, 30, {.client_address = address}) == 6);
  }
}

TEST_CASE("a flood by one uid does not throttle another uid") {
  ServiceHarness world(frugal());
  flood(world, 1000, {.uid = 1});
  CHECK(world.query_and_complete("token", status(200), {.uid = 2}).answer.reason == Reason::kOk);
  CHECK(world.query_now("token", {.uid = 1}).answer.reason == Reason::kOk);  // a hit
}

TEST_CASE("a flood of unknown tokens cannot use up the reserve for tokens that were valid before") {
  ServiceHarness world(frugal());
  for (int i = 0; i < 10; ++i) world.query_and_complete("known" + std::to_string(i), status(200));
  world.advance(2min);
  flood(world, 1000);
  for (int i = 0; i < 10; ++i) {
    CHECK(world.query_and_complete("known" + std::to_string(i), status(200)).answer.reason ==
          Reason::kOk);
  }
  CHECK(world.query_now("stranger").answer.reason == Reason::kRateLimited);
}

TEST_CASE("a rejected token loses its place in the reserve") {
  ServiceHarness world(frugal());
  world.query_and_complete("token", status(200));
  world.query_and_complete("token", status(401), {.max_age = 0s});
  world.advance(10s);
  flood(world, 1000);
  CHECK(world.query_now("token").answer.reason == Reason::kRateLimited);
}

TEST_CASE("tokens that were valid before a restart may use the reserve after it") {
  ServiceHarness world(frugal());
  world.query_and_complete("known", status(200));
  world.restart();
  world.advance(2min);
  flood(world, 1000);
  CHECK(world.query_and_complete("known", status(200)).answer.reason == Reason::kOk);
}

TEST_CASE("each client address has its own limit within the limit of its backend") {
  ServiceHarness world(frugal());
  CHECK(flood(world, 100, {.client_address = "192.0.2.1"}) == 6);
  CHECK(flood(world, 100, {.client_address = "192.0.2.2"}) == 6);
  CHECK(flood(world, 100) == 18);
}

TEST_CASE("IPv6 addresses of one /64 count as one client") {
  CHECK(client("2001:db8:1:2:3:4:5:6") == client("2001:DB8:1:2::9"));
  CHECK(client("2001:db8::1") == client("2001:0db8:0:0::2"));
  CHECK(client("2001:db8:0:1::") != client("2001:db8::"));
  CHECK(client("::1") == client("::2"));
  CHECK(client("192.0.2.1") == "192.0.2.1");
  CHECK(client("::ffff:192.0.2.1") != client("::ffff:192.0.2.2"));
  CHECK(client("not an address") == "not an address");
}

TEST_CASE("joining a flight is free, and each repeated query with max_age 0 is charged") {
  ServiceHarness world(frugal());
  for (int i = 0; i < 100; ++i) CHECK_FALSE(world.answered(world.query("token")));
  world.complete_oldest(status(200));
  std::size_t turned_away = 0;
  for (int i = 0; i < 100; ++i) {
    const Waiter waiter = world.query("token", {.max_age = 0s});
    if (world.answered(waiter)) ++turned_away;
    while (!world.upstream.in_flight().empty()) world.complete_oldest(status(200));
  }
  CHECK(turned_away == 61);
}

TEST_CASE("a rate of zero means no limit") {
  Policy policy = frugal();
  policy.rate_limit.per_uid = policy.rate_limit.per_client = {};
  ServiceHarness world(policy);
  CHECK(flood(world, 1000, {.client_address = "192.0.2.1"}) == 1000);
}

TEST_CASE("the number of buckets is bounded for any number of keys") {
  TokenBuckets<std::uint32_t> buckets({.per_second = 1, .burst = 1}, 100);
  for (std::uint32_t key = 0; key < 10'000; ++key) {
    TokenBucket& bucket = buckets.of(key, BootTime(1s));
    CHECK(bucket.has(0));
    bucket.take();
    CHECK_FALSE(buckets.of(key, BootTime(1s)).has(0));
  }
  CHECK(buckets.size() == 100);
}

TEST_CASE("a clock that goes backwards does not refill a bucket") {
  TokenBucket bucket({.per_second = 1, .burst = 1}, BootTime(100s));
  const Rate rate{.per_second = 1, .burst = 1};
  bucket.take();
  bucket.fill(rate, BootTime(50s));
  bucket.fill(rate, BootTime(100s));
  CHECK_FALSE(bucket.has(0));
  CHECK(bucket.wait(rate, 0) == 1s);
  bucket.fill(rate, BootTime(101s));
  CHECK(bucket.has(0));
}

TEST_CASE("the set of known tokens is bounded and keeps the most recent ones") {
  RecentlyValid known(100);
  for (std::uint64_t i = 0; i < 10'000; ++i) known.add(numbered_key(i));
  CHECK(known.size() <= 200);
  for (std::uint64_t i = 9'900; i < 10'000; ++i) CHECK(known.holds(numbered_key(i)));
  CHECK_FALSE(known.holds(numbered_key(1)));
}

TEST_CASE("one uid cannot use all waiter slots") {
  Policy policy = frugal();
  policy.max_waiters_per_uid = 3;
  ServiceHarness world(policy);
  for (int i = 0; i < 3; ++i) world.query("a", {.uid = 1});
  CHECK(world.query_now("a", {.uid = 1}).answer.reason == Reason::kTooManyWaitingOfUid);
  CHECK_FALSE(world.answered(world.query("a", {.uid = 2})));
  world.complete_oldest(status(200));
  CHECK_FALSE(world.answered(world.query("b", {.uid = 1})));
}

TEST_CASE("unknown tokens and a single uid leave room in the queue for others") {
  Policy policy = frugal();
  policy.rate_limit = {};
  policy.max_in_flight = 1;
  policy.max_pending = 8;
  ServiceHarness world(policy);
  world.query_and_complete("known", status(200));
  world.advance(2min);
  for (int i = 0; i < 20; ++i) world.query("junk" + std::to_string(i), {.uid = 1});
  CHECK(world.service->flights().pending() == 6);
  CHECK(world.query_now("stranger", {.uid = 2}).answer.reason == Reason::kOverloaded);
  CHECK_FALSE(world.answered(world.query("known", {.uid = 2})));
  world.complete_oldest(status(401));
  REQUIRE(world.upstream.in_flight().size() == 1);
  CHECK(world.upstream.in_flight()[0].token == "known");
}

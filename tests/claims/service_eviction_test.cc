// Which entries stay when the cache is full.
#include "tests/support/catch.h"
#include "tests/support/service_harness.h"

using namespace claimsd;
using namespace claimsd::claims;
using namespace claimsd::testing;
using namespace std::chrono_literals;
using proto::Reason;

namespace {

Policy room_for(std::size_t entries) {
  Policy policy = plain_policy();
  policy.max_entries = entries;
  return policy;
}

bool holds(ServiceHarness& world, std::string_view token) {
  return world.cache.holds(world.key_of(token));
}

}  // namespace

TEST_CASE("the number of entries stays within its limit") {
  ServiceHarness world(room_for(10));
  for (int i = 0; i < 100; ++i) {
    world.query_and_complete("token" + std::to_string(i), status(200));
    CHECK(world.cache.entries() <= 10);
  }
  CHECK(world.cache.entries() == 10);
  CHECK(world.counters().evictions == 90);
}

TEST_CASE("an entry that was hit is not the next to be evicted") {
  ServiceHarness world(room_for(3));
  for (const char* const token : {"a", "b", "c"}) world.query_and_complete(token, status(200));
  world.query_now("a");
  world.query_and_complete("d", status(200));
  CHECK(holds(world, "a"));
  CHECK_FALSE(holds(world, "b"));
}

TEST_CASE("an expired entry is evicted before any other") {
  ServiceHarness world(room_for(3));
  world.query_and_complete("a", status(200));
  world.query_and_complete("short", confirmed("max-age=5"));
  world.query_now("short");
  world.query_and_complete("c", status(200));
  world.advance(5s);
  world.query_and_complete("d", status(200));
  CHECK_FALSE(holds(world, "short"));
  CHECK(holds(world, "a"));
  CHECK(holds(world, "c"));
}

TEST_CASE("renewing an entry evicts no other") {
  ServiceHarness world(room_for(3));
  for (const char* const token : {"a", "b", "c"}) world.query_and_complete(token, status(200));
  for (int i = 0; i < 10; ++i) world.query_and_complete("b", status(200), {.max_age = 0s});
  CHECK(world.cache.entries() == 3);
  CHECK(world.counters().evictions == 0);
}

TEST_CASE("a rejected entry frees its space") {
  ServiceHarness world(room_for(2));
  world.query_and_complete("a", status(200));
  world.query_and_complete("b", status(200));
  world.query_and_complete("a", status(401), {.max_age = 0s});
  world.query_and_complete("c", status(200));
  CHECK(holds(world, "b"));
  CHECK(holds(world, "c"));
  CHECK(world.counters().evictions == 0);
}

TEST_CASE("an entry that must no longer be cached frees its space") {
  ServiceHarness world(room_for(2));
  world.query_and_complete("a", status(200));
  world.query_and_complete("b", status(200));
  world.query_and_complete("a", confirmed("no-store"), {.max_age = 0s});
  world.query_and_complete("c", status(200));
  CHECK(holds(world, "b"));
  CHECK(world.counters().evictions == 0);
}

TEST_CASE("a full store evicts an entry and caches the new one") {
  ServiceHarness world;
  world.query_and_complete("a", status(200));
  world.query_and_complete("b", status(200));
  world.query_and_complete("c", status(200));
  world.cache.capacity = 3 * world.query_now("a").claims.size();
  world.query_and_complete("d", status(200));
  CHECK(holds(world, "a"));
  CHECK_FALSE(holds(world, "b"));
  CHECK(holds(world, "d"));
  CHECK(world.counters().evictions == 1);
}

TEST_CASE("a large entry evicts several small ones") {
  ServiceHarness world;
  for (int i = 0; i < 40; ++i) world.query_and_complete("token" + std::to_string(i), status(200));
  const std::size_t small = world.query_now("token39").claims.size();
  world.cache.capacity = 40 * small;
  const std::string body = R"({"id":"u","x":")" + std::string(20 * small, 'x') + "\"}";
  CHECK(world.query_and_complete("large", status(200, body)).answer.reason == Reason::kOk);
  CHECK(holds(world, "large"));
  CHECK(holds(world, "token39"));
  CHECK(world.cache.entries() >= 15);
  CHECK(world.counters().not_cached == 0);
}

TEST_CASE("an entry larger than the whole store is answered but not cached") {
  ServiceHarness world;
  world.cache.capacity = 10;
  CHECK(world.query_and_complete("a", status(200)).answer.reason == Reason::kOk);
  CHECK(world.cache.entries() == 0);
  CHECK(world.counters().not_cached == 1);
  CHECK_FALSE(world.answered(world.query("a")));
}

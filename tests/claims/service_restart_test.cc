// Cached entries after a restart.
#include "tests/support/catch.h"
#include "tests/support/service_harness.h"

using namespace claimsd;
using namespace claimsd::claims;
using namespace claimsd::testing;
using namespace std::chrono_literals;
using proto::Reason;
using proto::Source;

TEST_CASE("entries survive a restart and keep their TTL") {
  ServiceHarness world;
  world.query_and_complete("token", status(200));
  world.advance(20s);
  world.restart();
  CHECK(world.query_now("token").answer.age == 20s);
  world.advance(40s - 1ns);
  CHECK(world.query_now("token").answer.source == Source::kCache);
  world.advance(1ns);
  CHECK_FALSE(world.answered(world.query("token")));
  CHECK(world.upstream.requests() == 2);
}

TEST_CASE("exp is checked after a restart") {
  ServiceHarness world;
  const std::string token = jwt_expiring(50s);
  world.query_and_complete(token, status(200));
  world.restart();
  CHECK(world.query_now(token).answer.ttl_remaining == 20s);
  world.clock.step_wall(20s);
  CHECK_FALSE(world.answered(world.query(token)));
}

TEST_CASE("entries from before a restart are evicted like others") {
  Policy policy = plain_policy();
  policy.max_entries = 3;
  ServiceHarness world(policy);
  for (const char* const token : {"a", "b", "c"}) world.query_and_complete(token, status(200));
  world.restart();
  world.query_and_complete("d", status(200));
  CHECK(world.cache.entries() == 3);
  CHECK(world.cache.holds(world.key_of("d")));
}

TEST_CASE("if a restart reduces max_entries, expired entries are evicted first") {
  ServiceHarness world;
  world.query_and_complete("ended1", confirmed("max-age=1"));
  for (const char* const token : {"a", "b"}) world.query_and_complete(token, status(200));
  world.query_and_complete("ended2", confirmed("max-age=1"));
  for (const char* const token : {"c", "d"}) world.query_and_complete(token, status(200));
  world.advance(1s);
  world.policy.max_entries = 4;
  world.restart();
  CHECK(world.cache.entries() == 4);
  CHECK_FALSE(world.cache.holds(world.key_of("ended1")));
  CHECK_FALSE(world.cache.holds(world.key_of("ended2")));
}

TEST_CASE("a max_ttl reduced at a restart shortens existing TTLs") {
  ServiceHarness world;
  world.query_and_complete("token", status(200));
  world.policy.ttl.max_ttl = 10s;
  world.restart();
  world.advance(10s - 1ns);
  CHECK(world.query_now("token").answer.ttl_remaining == 1ns);
  world.advance(1ns);
  CHECK_FALSE(world.answered(world.query("token")));
}

TEST_CASE("a max_ttl raised at a restart does not extend existing TTLs") {
  ServiceHarness world;
  world.query_and_complete("token", status(200));
  world.policy.ttl.max_ttl = 300s;
  world.restart();
  world.advance(60s);
  CHECK_FALSE(world.answered(world.query("token")));
}

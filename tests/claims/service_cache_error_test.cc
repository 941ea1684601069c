// A failing store costs requests but never causes a wrong answer.
#include "tests/support/catch.h"
#include "tests/support/service_harness.h"

using namespace claimsd;
using namespace claimsd::claims;
using namespace claimsd::testing;
using namespace std::chrono_literals;
using proto::Reason;
using proto::Source;

TEST_CASE("a confirmation that the store cannot take is answered but not cached") {
  ServiceHarness world;
  world.cache.put_fault.arm(0, 1);
  CHECK(world.query_and_complete("token", status(200)).answer.reason == Reason::kOk);
  CHECK(world.counters().not_cached == 1);
  CHECK(world.query_and_complete("token", status(200)).answer.source == Source::kUpstream);
  CHECK(world.query_now("token").answer.source == Source::kCache);
}

TEST_CASE("a newer entry that cannot be stored still displaces the older one") {
  ServiceHarness world;
  world.query_and_complete("token", status(200));
  world.cache.put_fault.arm(0, 1);
  world.query_and_complete("token", status(200), {.max_age = 0s});
  CHECK(world.cache.entries() == 0);
  CHECK_FALSE(world.answered(world.query("token")));
}

TEST_CASE("a failed lookup in the store causes a new request") {
  ServiceHarness world;
  world.query_and_complete("token", status(200));
  world.cache.find_fault.arm(0, 1);
  CHECK(world.query_and_complete("token", status(200)).answer.source == Source::kUpstream);
  CHECK(world.query_now("token").answer.source == Source::kCache);
}

TEST_CASE("a rejected token stays rejected if the store cannot erase its entry") {
  ServiceHarness world;
  world.query_and_complete("token", status(200));
  world.cache.erase_fault.arm(0, SIZE_MAX);
  world.query_and_complete("token", status(401), {.max_age = 0s});
  REQUIRE(world.cache.entries() == 1);
  CHECK(world.query_now("token").answer.reason == Reason::kRejected);
  world.advance(5s);  // the negative entry has expired; the cached entry would still be fresh
  CHECK_FALSE(world.answered(world.query("token")));
  world.complete_oldest(failed(Reason::kUpstreamConnect));
  CHECK_FALSE(world.answered(world.query("token")));
}

TEST_CASE("an entry that could not be erased is valid again once it is replaced") {
  ServiceHarness world;
  world.query_and_complete("token", status(200));
  world.cache.erase_fault.arm(0, 1);
  world.query_and_complete("token", status(401), {.max_age = 0s});
  world.advance(1s);
  world.query_and_complete("token", status(200), {.max_age = 0s});
  CHECK(world.query_now("token").answer.source == Source::kCache);
  CHECK(world.query_now("token").answer.age == 0s);
}

TEST_CASE("an entry that could be neither replaced nor erased is not used") {
  ServiceHarness world;
  world.query_and_complete("token", status(200));
  world.cache.put_fault.arm(0, 1);
  world.cache.erase_fault.arm(0, 1);
  world.query_and_complete("token", status(200, R"({"id":"u","role":"less"})"), {.max_age = 0s});
  REQUIRE(world.cache.entries() == 1);
  CHECK_FALSE(world.answered(world.query("token")));
}

TEST_CASE("an older entry that could not be erased after no-store is not used") {
  ServiceHarness world;
  world.query_and_complete("token", status(200));
  world.cache.erase_fault.arm(0, 1);
  world.query_and_complete("token", confirmed("no-store"), {.max_age = 0s});
  REQUIRE(world.cache.entries() == 1);
  CHECK_FALSE(world.answered(world.query("token")));
}

TEST_CASE("an evicted entry that could not be erased, and was then rejected, is not used") {
  Policy policy = plain_policy();
  policy.max_entries = 1;
  policy.negative_ttl = 0s;
  ServiceHarness world(policy);
  world.query_and_complete("token", status(200));
  world.cache.erase_fault.arm(0, SIZE_MAX);
  world.query_and_complete("other", status(200));
  world.query_and_complete("token", status(401), {.max_age = 0s});
  REQUIRE(world.cache.holds(world.key_of("token")));
  CHECK_FALSE(world.answered(world.query("token")));
}

TEST_CASE("rejected tokens that were never cached cost no memory") {
  ServiceHarness world;
  world.cache.erase_fault.arm(0, 3);
  for (int i = 0; i < 3; ++i) world.query_and_complete("junk" + std::to_string(i), status(401));
  world.advance(5s);
  world.query_and_complete("junk0", status(200));
  CHECK(world.query_now("junk0").answer.source == Source::kCache);
}

TEST_CASE("if every call of the store fails, every answer comes from the Auth API") {
  ServiceHarness world;
  world.cache.find_fault.arm(0, SIZE_MAX);
  world.cache.put_fault.arm(0, SIZE_MAX);
  world.cache.erase_fault.arm(0, SIZE_MAX);
  for (int i = 0; i < 20; ++i) {
    CHECK(world.query_and_complete("token", status(200)).answer.reason == Reason::kOk);
  }
  CHECK(world.upstream.requests() == 20);
}

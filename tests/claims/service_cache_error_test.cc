// A store in trouble costs requests, never a wrong answer.
#include "tests/support/catch.h"
#include "tests/support/service_harness.h"

using namespace claimsd;
using namespace claimsd::daemon;
using namespace claimsd::testing;
using namespace std::chrono_literals;
using proto::Reason;
using proto::Source;

TEST_CASE("what the store cannot take is passed on, and asked again") {
  ServiceHarness world;
  world.cache.put_fault.arm(0, 1);
  CHECK(world.ask_and_land("token", status(200)).answer.reason == Reason::kOk);
  CHECK(world.counters().not_kept == 1);
  CHECK(world.ask_and_land("token", status(200)).answer.source == Source::kUpstream);
  CHECK(world.ask_now("token").answer.source == Source::kCache);
}

TEST_CASE("where the newer entry cannot be kept the older one does not answer for it") {
  ServiceHarness world;
  world.ask_and_land("token", status(200));
  world.cache.put_fault.arm(0, 1);
  world.ask_and_land("token", status(200), {.max_age = 0s});
  CHECK(world.cache.entries() == 0);
  CHECK_FALSE(world.answered(world.ask("token")));
}

TEST_CASE("what the store cannot find is asked again") {
  ServiceHarness world;
  world.ask_and_land("token", status(200));
  world.cache.find_fault.arm(0, 1);
  CHECK(world.ask_and_land("token", status(200)).answer.source == Source::kUpstream);
  CHECK(world.ask_now("token").answer.source == Source::kCache);
}

TEST_CASE("a refused token stays refused where the store cannot erase it") {
  ServiceHarness world;
  world.ask_and_land("token", status(200));
  world.cache.erase_fault.arm(0, SIZE_MAX);
  world.ask_and_land("token", status(401), {.max_age = 0s});
  REQUIRE(world.cache.entries() == 1);
  CHECK(world.ask_now("token").answer.reason == Reason::kRefused);
  world.advance(5s);  // the refusal is forgotten; the entry would live on
  CHECK_FALSE(world.answered(world.ask("token")));
  world.land_oldest(failed(Reason::kUpstreamConnect));
  CHECK_FALSE(world.answered(world.ask("token")));
}

TEST_CASE("an entry that could not be erased counts again once it is replaced") {
  ServiceHarness world;
  world.ask_and_land("token", status(200));
  world.cache.erase_fault.arm(0, 1);
  world.ask_and_land("token", status(401), {.max_age = 0s});
  world.advance(1s);
  world.ask_and_land("token", status(200), {.max_age = 0s});
  CHECK(world.ask_now("token").answer.source == Source::kCache);
  CHECK(world.ask_now("token").answer.age == 0s);
}

TEST_CASE("an entry that could not be replaced nor erased does not answer") {
  ServiceHarness world;
  world.ask_and_land("token", status(200));
  world.cache.put_fault.arm(0, 1);
  world.cache.erase_fault.arm(0, 1);
  world.ask_and_land("token", status(200, R"({"id":"u","role":"less"})"), {.max_age = 0s});
  REQUIRE(world.cache.entries() == 1);
  CHECK_FALSE(world.answered(world.ask("token")));
}

TEST_CASE("an older entry that no-store could not take away does not answer") {
  ServiceHarness world;
  world.ask_and_land("token", status(200));
  world.cache.erase_fault.arm(0, 1);
  world.ask_and_land("token", confirmed("no-store"), {.max_age = 0s});
  REQUIRE(world.cache.entries() == 1);
  CHECK_FALSE(world.answered(world.ask("token")));
}

TEST_CASE("an entry that was evicted but not erased, and refused since, does not answer") {
  Policy policy = plain_policy();
  policy.max_entries = 1;
  policy.negative_ttl = 0s;
  ServiceHarness world(policy);
  world.ask_and_land("token", status(200));
  world.cache.erase_fault.arm(0, SIZE_MAX);
  world.ask_and_land("other", status(200));
  world.ask_and_land("token", status(401), {.max_age = 0s});
  REQUIRE(world.cache.holds(world.key_of("token")));
  CHECK_FALSE(world.answered(world.ask("token")));
}

TEST_CASE("refusals of tokens that were never kept are nothing to remember") {
  ServiceHarness world;
  world.cache.erase_fault.arm(0, 3);
  for (int i = 0; i < 3; ++i) world.ask_and_land("junk" + std::to_string(i), status(401));
  world.advance(5s);
  world.ask_and_land("junk0", status(200));
  CHECK(world.ask_now("junk0").answer.source == Source::kCache);
}

TEST_CASE("with every call failing, every answer is still the Auth API's") {
  ServiceHarness world;
  world.cache.find_fault.arm(0, SIZE_MAX);
  world.cache.put_fault.arm(0, SIZE_MAX);
  world.cache.erase_fault.arm(0, SIZE_MAX);
  for (int i = 0; i < 20; ++i) {
    CHECK(world.ask_and_land("token", status(200)).answer.reason == Reason::kOk);
  }
  CHECK(world.upstream.requests() == 20);
}

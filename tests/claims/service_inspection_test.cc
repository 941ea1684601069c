// What an operator sees of the entries. Inspection changes nothing.
#include "tests/support/catch.h"
#include "tests/support/service_harness.h"

using namespace claimsd;
using namespace claimsd::claims;
using namespace claimsd::testing;
using namespace std::chrono_literals;

namespace {

struct Seen {
  std::string user;
  EntryState state;
  Duration age, ttl_remaining;
};

std::vector<Seen> all(ServiceHarness& world) {
  std::vector<Seen> seen;
  world.service->inspect({}, 100, [&](const EntryDescription& entry) {
    seen.push_back({std::string(entry.user), entry.state, entry.age, entry.ttl_remaining});
  });
  return seen;
}

TokenFinding finding_of(ServiceHarness& world, std::string_view token) {
  TokenFinding found;
  world.service->inspect_token(token, [&](const TokenFinding& finding) { found = finding; });
  return found;
}

}  // namespace

TEST_CASE("an entry is fresh until its TTL expires, then ended") {
  ServiceHarness world;
  world.query_and_complete("token", status(200));
  world.advance(10s);
  const auto seen = all(world);
  REQUIRE(seen.size() == 1);
  CHECK(seen[0].user == "user-123");
  CHECK(seen[0].state == EntryState::kFresh);
  CHECK(seen[0].age == 10s);
  CHECK(seen[0].ttl_remaining == 50s);
  world.advance(51s);
  CHECK(all(world).at(0).state == EntryState::kEnded);
  CHECK(all(world).at(0).ttl_remaining == 0s);
}

TEST_CASE("a revoked or purged entry is shown as such") {
  ServiceHarness world;
  world.query_and_complete("token", status(200));
  SECTION("a purge of the user") {
    world.purge({.subject = Subject::kUser, .who = "user-123"});
    CHECK(all(world).at(0).state == EntryState::kPurged);
  }
  SECTION("a revocation of the user") {
    world.revoke({.subject = Subject::kUser, .who = "user-123"});
    CHECK(all(world).at(0).state == EntryState::kRevoked);
  }
  SECTION("a revocation of the token") {
    world.revoke({.subject = Subject::kToken, .who = "token"});
    CHECK(finding_of(world, "token").revoked);
    CHECK_FALSE(finding_of(world, "token").entry);
  }
}

TEST_CASE("inspecting a token shows its entry, its rejection, its request in flight, or nothing") {
  ServiceHarness world;
  world.query_and_complete("token", status(200));
  world.query_and_complete("junk", status(401));
  world.query("asked");
  CHECK(finding_of(world, "token").entry->state == EntryState::kFresh);
  CHECK(finding_of(world, "junk").rejection);
  CHECK_FALSE(finding_of(world, "junk").entry);
  CHECK(finding_of(world, "asked").in_flight);
  CHECK_FALSE(finding_of(world, "other").entry);
}

TEST_CASE("inspection neither protects an entry from eviction nor counts as a query") {
  Policy policy = plain_policy();
  policy.max_entries = 2;
  policy.memory_entries = 0;
  ServiceHarness world(policy);
  world.query_and_complete("first", status(200));
  world.query_and_complete("second", status(200));
  const auto queries = world.counters().queries;
  for (int i = 0; i < 10; ++i) finding_of(world, "first");
  all(world);
  CHECK(world.counters().queries == queries);
  world.query_and_complete("third", status(200));
  CHECK_FALSE(finding_of(world, "first").entry);
  CHECK(finding_of(world, "second").entry);
}

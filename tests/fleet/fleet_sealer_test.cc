#include "daemon/fleet/fleet_sealer.h"

#include "proto/fleet_messages.h"
#include "tests/support/catch.h"
#include "tests/support/fake_world.h"

namespace claimsd::fleet {
namespace {

constexpr std::string_view kOld = "the old seal key, of thirty-two bytes";
constexpr std::string_view kNew = "the new seal key, of thirty-two bytes";

FleetSealer sealer(std::vector<std::string_view> keys, Random& random,
                   const std::string& fleet = "prod") {
  std::vector<Secret> secrets;
  for (const std::string_view key : keys) secrets.emplace_back(key);
  auto made = FleetSealer::create(secrets, fleet, random);
  REQUIRE(made);
  return std::move(*made);
}

TEST_CASE("a sealed message opens under the same key and fleet only") {
  testing::SeededRandom random(1);
  std::string body;
  const std::string envelope = sealer({kOld}, random).seal("a body");
  CHECK(envelope.size() == 6 + proto::kFleetHeader + crypto::Sealer::kOverhead);
  CHECK(sealer({kOld}, random).open(envelope, body) == Opened::kOpened);
  CHECK(body == "a body");
  CHECK(sealer({kNew}, random).open(envelope, body) == Opened::kUnsealed);
  CHECK(sealer({kOld}, random, "staging").open(envelope, body) == Opened::kUnsealed);
}

TEST_CASE("any changed or missing byte of a message is noticed") {
  testing::SeededRandom random(1);
  FleetSealer both = sealer({kOld}, random);
  const std::string envelope = both.seal("a body");
  std::string body;
  for (std::size_t at = 0; at < envelope.size(); ++at) {
    std::string changed = envelope;
    changed[at] = static_cast<char>(changed[at] ^ 1);
    CHECK(both.open(changed, body) == Opened::kUnsealed);
    CHECK(both.open(envelope.substr(0, at), body) == Opened::kUnsealed);
  }
}

TEST_CASE("during a rotation hosts with either key first read each other") {
  testing::SeededRandom random(1);
  FleetSealer before = sealer({kOld, kNew}, random);
  FleetSealer after = sealer({kNew, kOld}, random);
  std::string body;
  CHECK(after.open(before.seal("one"), body) == Opened::kOpened);
  CHECK(before.open(after.seal("two"), body) == Opened::kOpened);
  // The newest key seals, so the old one can be removed.
  CHECK(sealer({kNew}, random).open(after.seal("three"), body) == Opened::kOpened);
}

TEST_CASE("a short key, no key and a third key are refused") {
  testing::SeededRandom random(1);
  std::vector<Secret> keys;
  CHECK_FALSE(FleetSealer::create(keys, "prod", random));
  keys.emplace_back(std::string_view("too short"));
  CHECK_FALSE(FleetSealer::create(keys, "prod", random));
  keys.clear();
  for (int at = 0; at < 3; ++at) keys.emplace_back(kOld);
  CHECK_FALSE(FleetSealer::create(keys, "prod", random));
}

}  // namespace
}  // namespace claimsd::fleet

#include "daemon/claims/cache/key_index.h"

#include <map>

#include "tests/support/catch.h"
#include "tests/support/fake_world.h"

namespace claimsd::claims {
namespace {

// Keys with few distinct hashes, so that probe sequences overlap and wrap around.
TokenKey crowded_key(std::uint64_t number, std::uint64_t hashes) {
  TokenKey key;
  const std::uint64_t hash = number % hashes - hashes / 2;
  std::memcpy(key.bytes.data(), &hash, sizeof hash);
  std::memcpy(key.bytes.data() + sizeof hash, &number, sizeof number);
  return key;
}

TEST_CASE("a key index behaves like std::map under random inserts and erases") {
  const std::uint64_t hashes = GENERATE(1, 3, 40, 1'000'000);
  testing::SeededRandom random(hashes);
  std::vector<TokenKey> nodes;
  for (std::uint64_t number = 0; number < 500; ++number)
    nodes.push_back(crowded_key(number, hashes));
  const auto key_at = [&](std::uint32_t at) -> const TokenKey& { return nodes[at]; };
  KeyIndex index;
  std::map<std::uint32_t, bool> model;
  for (int step = 0; step < 20'000; ++step) {
    const auto number = static_cast<std::uint32_t>(random.below(nodes.size()));
    bool& there = model[number];
    if (there) {
      index.erase(nodes[number], key_at);
    } else {
      index.insert(number, key_at);
    }
    there = !there;
    const auto other = static_cast<std::uint32_t>(random.below(nodes.size()));
    REQUIRE(index.find(nodes[other], key_at) == (model[other] ? other : KeyIndex::kNone));
    if (model[other]) REQUIRE(index.guess(nodes[other]) != KeyIndex::kNone);
  }
  for (const auto& [number, there] : model) {
    CHECK(index.find(nodes[number], key_at) == (there ? number : KeyIndex::kNone));
  }
}

TEST_CASE("erasing an absent key from a key index changes nothing") {
  const TokenKey key = crowded_key(1, 10);
  const auto key_at = [&](std::uint32_t) -> const TokenKey& { return key; };
  KeyIndex index;
  index.erase(key, key_at);
  index.insert(0, key_at);
  index.erase(crowded_key(2, 10), key_at);
  CHECK(index.size() == 1);
  CHECK(index.find(key, key_at) == 0);
}

}  // namespace
}  // namespace claimsd::claims

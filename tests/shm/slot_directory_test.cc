#include "daemon/shm/slot_directory.h"

#include <array>
#include <map>
#include <set>

#include "tests/support/catch.h"
#include "tests/support/fake_world.h"

namespace claimsd::shm {
namespace {

using testing::numbered_key;
using testing::SeededRandom;

constexpr std::size_t kSlots = 64;

TEST_CASE("the directory matches a simple model through 100,000 changes") {
  SeededRandom random(7);
  SlotDirectory directory(kSlots, random);
  std::map<SlotNumber, std::pair<claims::TokenKey, std::uint64_t>> model;
  for (int step = 0; step < 100'000; ++step) {
    const auto slot = static_cast<SlotNumber>(random.below(kSlots));
    const claims::TokenKey key = numbered_key(random.below(40));
    // Few hashes, so that chains are long.
    const std::uint64_t user = random.below(6) * kSlots;
    switch (random.below(1000) == 0 ? 2 : random.below(2)) {
      case 0:
        if (const auto old = directory.find(key)) {
          directory.erase(*old);
          model.erase(*old);
        }
        directory.put(slot, {.key = key, .user = user, .end = {}});
        model[slot] = {key, user};
        break;
      case 1:
        directory.erase(slot);
        model.erase(slot);
        break;
      default: directory.clear(); model.clear();
    }
    if (directory.used() != model.size()) FAIL("wrong size");
    if (step % 100 != 0) continue;
    std::set<std::uint64_t> users;
    for (const auto& [at, what] : model) {
      REQUIRE(directory.find(what.first) == at);
      users.insert(what.second);
    }
    for (std::uint64_t each = 0; each < 6; ++each) {
      const auto found = directory.find_user(each * kSlots);
      REQUIRE(found.has_value() == (users.count(each * kSlots) != 0));
      if (found) REQUIRE(model.at(*found).second == each * kSlots);
    }
    for (std::uint64_t number = 0; number < 40; ++number) {
      if (const auto found = directory.find(numbered_key(number)))
        REQUIRE(model.at(*found).first == numbered_key(number));
    }
  }
}

TEST_CASE("user hashes depend on the upstream and on every byte of the id") {
  SeededRandom random(1);
  const SlotDirectory directory(kSlots, random);
  std::set<std::uint64_t> hashes;
  std::string id;
  for (int length = 0; length < 100; ++length) {
    for (const claims::UpstreamId upstream : std::array<claims::UpstreamId, 3>{0, 1, 256})
      hashes.insert(directory.user_hash(upstream, id));
    id += 'a';
  }
  id[50] = 'b';
  hashes.insert(directory.user_hash(0, id));
  id[99] = '\0';
  hashes.insert(directory.user_hash(0, id));
  CHECK(hashes.size() == 302);
  // The hash is seeded, so collisions cannot be prepared in advance.
  SeededRandom other_random(2);
  CHECK(SlotDirectory(kSlots, other_random).user_hash(0, "a") != directory.user_hash(0, "a"));
}

TEST_CASE("the directory holds no user name") {
  SeededRandom random(1);
  SlotDirectory directory(kSlots, random);
  directory.put(1, {.key = numbered_key(1), .user = directory.user_hash(0, "canary-u"), .end = {}});
  const std::string_view bytes(reinterpret_cast<const char*>(directory.at(1)),
                               sizeof(SlotDirectory::Published));
  CHECK(bytes.find("canary-u") == std::string_view::npos);
}

}  // namespace
}  // namespace claimsd::shm

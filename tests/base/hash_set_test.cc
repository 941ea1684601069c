#include "daemon/base/hash_set.h"

#include <set>

#include "tests/support/catch.h"
#include "tests/support/fake_world.h"

namespace claimsd {
namespace {

TEST_CASE("a hash set behaves like std::set under random inserts and erases") {
  // Nearby hashes collide, so probe sequences overlap and wrap around the end of the table.
  const std::uint64_t hashes = GENERATE(3, 40, 3'000);
  testing::SeededRandom random(hashes);
  HashSet set;
  std::set<std::uint64_t> model;
  const auto draw = [&] { return 2 + random.below(hashes) - hashes / 2; };
  for (int step = 0; step < 20'000; ++step) {
    const std::uint64_t hash = draw();
    if (hash == 0) continue;  // stored as 1
    if (random.below(2) == 0) {
      set.insert(hash);
      model.insert(hash);
    } else {
      set.erase(hash);
      model.erase(hash);
    }
    const std::uint64_t other = draw();
    REQUIRE(set.contains(other) == (model.count(other == 0 ? 1 : other) != 0));
    REQUIRE(set.size() == model.size());
  }
}

TEST_CASE("zero is an ordinary hash") {
  HashSet set;
  CHECK_FALSE(set.contains(0));
  set.insert(0);
  CHECK(set.contains(0));
  set.erase(0);
  CHECK_FALSE(set.contains(0));
}

}  // namespace
}  // namespace claimsd

#include "daemon/claims/cache/sieve.h"

#include <algorithm>
#include <cmath>
#include <list>
#include <vector>

#include "tests/support/catch.h"
#include "tests/support/fake_world.h"

using namespace claimsd;
using namespace claimsd::claims;
using namespace std::chrono_literals;
using testing::numbered_key;

namespace {

constexpr BootTime kNow{1000s};
constexpr BootTime kLater = kNow + 1s;

// SIEVE as in the paper (Zhang et al., NSDI 2024, algorithm 1): one list, newest first, with a
// limit on how far the hand moves.
class ReferenceSieve {
 public:
  struct Item {
    std::uint64_t key;
    bool visited = false;
  };

  bool access(std::uint64_t key) {
    const auto found = find(key);
    if (found == items_.end()) return false;
    found->visited = true;
    return true;
  }
  void insert(std::uint64_t key) { items_.push_front({key}); }
  void erase(std::uint64_t key) {
    const auto found = find(key);
    if (found == items_.end()) return;
    if (hand_ == found) step_hand();
    items_.erase(found);
  }
  std::uint64_t evict() {
    if (hand_ == items_.end()) hand_ = std::prev(items_.end());
    for (std::size_t steps = 0; hand_->visited && steps < Sieve::kMaxSteps; ++steps) {
      hand_->visited = false;
      step_hand();
      if (hand_ == items_.end()) hand_ = std::prev(items_.end());
    }
    const auto victim = hand_;
    const std::uint64_t key = victim->key;
    step_hand();
    items_.erase(victim);
    return key;
  }
  std::size_t size() const { return items_.size(); }

 private:
  std::list<Item>::iterator find(std::uint64_t key) {
    return std::find_if(items_.begin(), items_.end(),
                        [key](const Item& item) { return item.key == key; });
  }
  // Moves towards the newest; after the newest, end(): the next round starts at the oldest.
  void step_hand() { hand_ = hand_ == items_.begin() ? items_.end() : std::prev(hand_); }

  std::list<Item> items_;
  std::list<Item>::iterator hand_ = items_.end();
};

// Zipf-distributed numbers below `count`, with exponent 1.
class Zipf {
 public:
  Zipf(std::size_t count, std::uint64_t seed) : random_(seed) {
    double sum = 0;
    for (std::size_t i = 1; i <= count; ++i) sums_.push_back(sum += 1.0 / static_cast<double>(i));
  }
  std::uint64_t next() {
    const double at = static_cast<double>(random_.next() >> 11) / 0x1p53 * sums_.back();
    return static_cast<std::uint64_t>(std::upper_bound(sums_.begin(), sums_.end(), at) -
                                      sums_.begin());
  }

 private:
  testing::SeededRandom random_;
  std::vector<double> sums_;
};

}  // namespace

TEST_CASE("an empty sieve evicts nothing") {
  Sieve sieve;
  CHECK_FALSE(sieve.evict(kNow));
  sieve.put(numbered_key(1), kLater);
  CHECK(sieve.evict(kNow) == numbered_key(1));
  CHECK_FALSE(sieve.evict(kNow));
  CHECK(sieve.size() == 0);
}

TEST_CASE("the oldest unmarked key is evicted first, and a mark lasts one round") {
  Sieve sieve;
  for (std::uint64_t i = 1; i <= 4; ++i) sieve.put(numbered_key(i), kLater);
  sieve.touch(numbered_key(1));
  sieve.touch(numbered_key(3));
  CHECK(sieve.evict(kNow) == numbered_key(2));
  CHECK(sieve.evict(kNow) == numbered_key(4));
  CHECK(sieve.evict(kNow) == numbered_key(1));
  CHECK(sieve.evict(kNow) == numbered_key(3));
}

TEST_CASE("if all keys are marked, the oldest is evicted") {
  Sieve sieve;
  for (std::uint64_t i = 1; i <= 3; ++i) sieve.put(numbered_key(i), kLater);
  for (std::uint64_t i = 1; i <= 3; ++i) sieve.touch(numbered_key(i));
  CHECK(sieve.evict(kNow) == numbered_key(1));
}

TEST_CASE("eviction matches the reference on a Zipf trace with erasures") {
  constexpr std::size_t kCapacity = 200;
  Sieve sieve;
  ReferenceSieve reference;
  Zipf zipf(2000, 42);
  testing::SeededRandom random(43);
  std::size_t evictions = 0;
  std::size_t hits = 0;
  for (int i = 0; i < 100'000; ++i) {
    const std::uint64_t key = zipf.next();
    if (random.below(50) == 0) {
      reference.erase(key);
      sieve.erase(numbered_key(key));
    } else if (reference.access(key)) {
      sieve.touch(numbered_key(key));
      // A renewal changes when the key expires, not its position in the queue.
      if (random.below(10) == 0) sieve.put(numbered_key(key), kLater + seconds(i));
      ++hits;
    } else {
      if (reference.size() == kCapacity) {
        REQUIRE(sieve.evict(kNow) == numbered_key(reference.evict()));
        ++evictions;
      }
      reference.insert(key);
      sieve.put(numbered_key(key), kLater + seconds(i));
    }
    REQUIRE(sieve.size() == reference.size());
  }
  CHECK(evictions > 10'000);
  CHECK(hits > 10'000);
}

TEST_CASE("with thousands of marked keys the hand moves a bounded distance, like the reference") {
  constexpr std::size_t kKeys = 5 * Sieve::kMaxSteps;
  Sieve sieve;
  ReferenceSieve reference;
  for (std::uint64_t key = 0; key < kKeys; ++key) {
    sieve.put(numbered_key(key), kLater);
    reference.insert(key);
    sieve.touch(numbered_key(key));
    reference.access(key);
  }
  CHECK(testing::number_of(sieve.evict(kNow).value()) == Sieve::kMaxSteps);
  CHECK(reference.evict() == Sieve::kMaxSteps);
  for (int i = 0; i < 2000; ++i)
    REQUIRE(testing::number_of(sieve.evict(kNow).value()) == reference.evict());
}

TEST_CASE("expired keys are evicted before all others, earliest end first, marked or not") {
  Sieve sieve;
  sieve.put(numbered_key(1), kNow + 9s);
  sieve.put(numbered_key(2), kNow - 1s);
  sieve.put(numbered_key(3), kNow + 9s);
  sieve.put(numbered_key(4), kNow - 2s);
  sieve.put(numbered_key(5), kNow);
  sieve.touch(numbered_key(4));
  CHECK(sieve.evict(kNow) == numbered_key(4));
  CHECK(sieve.evict(kNow) == numbered_key(2));
  CHECK(sieve.evict(kNow) == numbered_key(5));
  CHECK(sieve.evict(kNow) == numbered_key(1));
}

TEST_CASE("a renewed key counts as unexpired") {
  Sieve sieve;
  sieve.put(numbered_key(1), kLater);
  sieve.put(numbered_key(2), kNow);
  sieve.put(numbered_key(2), kLater);
  CHECK(sieve.size() == 2);
  CHECK(sieve.evict(kNow) == numbered_key(1));
}

TEST_CASE("among thousands of keys, expired ones are evicted first, in order of their ends") {
  Sieve sieve;
  testing::SeededRandom random(5);
  std::vector<BootTime> ends(5000);
  for (std::size_t i = 0; i < ends.size(); ++i) {
    ends[i] = kNow + seconds(random.below(2000)) - 1000s;
    sieve.put(numbered_key(i), ends[i]);
  }
  // With some keys erased or renewed in between.
  for (std::size_t i = 0; i < ends.size(); i += 7) sieve.erase(numbered_key(i));
  for (std::size_t i = 1; i < ends.size(); i += 7) {
    ends[i] = kNow + seconds(random.below(2000)) - 1000s;
    sieve.put(numbered_key(i), ends[i]);
  }
  std::vector<BootTime> expected;
  for (std::size_t i = 0; i < ends.size(); ++i) {
    if (i % 7 != 0 && ends[i] <= kNow) expected.push_back(ends[i]);
  }
  std::sort(expected.begin(), expected.end());
  REQUIRE(expected.size() > 1000);
  for (const BootTime end : expected) {
    const auto victim = sieve.evict(kNow);
    REQUIRE(victim);
    REQUIRE(ends[testing::number_of(*victim)] == end);
  }
  CHECK(ends[testing::number_of(sieve.evict(kNow).value())] > kNow);
}

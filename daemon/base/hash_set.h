// hash_set.h: a compact set of 64-bit hashes. At a million elements a lookup costs one cache miss;
// std::unordered_set costs three.
//
// Open addressing with linear probing, at most half full; deletion closes the gap
// (linear_probing.h). Hashes must be uniformly distributed. Loop thread.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "daemon/base/huge_pages.h"
#include "daemon/base/linear_probing.h"

namespace claimsd {

class HashSet {
 public:
  bool contains(std::uint64_t hash) const {
    return size_ > 0 && places_[place_of(stored(hash))] != kFree;
  }

  // Starts loading the memory that contains() reads.
  void prefetch(std::uint64_t hash) const {
    if (size_ > 0) __builtin_prefetch(&places_[stored(hash) & mask()]);
  }

  void insert(std::uint64_t hash) {
    if (2 * (size_ + 1) > places_.size()) grow();
    std::uint64_t& place = places_[place_of(stored(hash))];
    if (place == kFree) ++size_;
    place = stored(hash);
  }

  void erase(std::uint64_t hash) {
    if (!contains(hash)) return;
    --size_;
    close_gap(places_, place_of(stored(hash)), [](std::uint64_t place) { return place; });
  }

  std::size_t size() const { return size_; }

 private:
  using Slots = std::vector<std::uint64_t, HugePageAllocator<std::uint64_t>>;
  static constexpr std::uint64_t kFree = 0;
  static constexpr std::size_t kFirstSize = 16;

  // 0 marks a free place, so hash 0 is stored as 1: one collision in 2^64.
  static std::uint64_t stored(std::uint64_t hash) { return hash == kFree ? 1 : hash; }
  std::size_t mask() const { return places_.size() - 1; }
  std::size_t next(std::size_t at) const { return (at + 1) & mask(); }

  // Index of the hash, or of the free place where it would go.
  std::size_t place_of(std::uint64_t hash) const {
    std::size_t at = hash & mask();
    while (places_[at] != kFree && places_[at] != hash) at = next(at);
    return at;
  }

  void grow() {
    const Slots before =
        std::exchange(places_, Slots(places_.empty() ? kFirstSize : 2 * places_.size(), kFree));
    for (const std::uint64_t hash : before) {
      if (hash != kFree) places_[place_of(hash)] = hash;
    }
  }

  Slots places_;  // size is a power of two, or zero
  std::size_t size_ = 0;
};

}  // namespace claimsd

// slot_chains.h: finds slots by a 64-bit hash. A hash table whose nodes are the slot numbers: all
// memory is allocated by the constructor; adding and removing a slot allocates nothing.
//
// Different keys may have the same hash, so callers must compare the slots they find. Loop thread.
#pragma once

#include <cstdint>
#include <vector>

namespace claimsd::shm {

class SlotChains {
 public:
  static constexpr std::uint32_t kNone = 0xffff'ffff;

  // For slots below `slots`, which is a power of two.
  explicit SlotChains(std::size_t slots);

  // The slot must not be present.
  void add(std::uint32_t slot, std::uint64_t hash);
  // The slot must be present with this hash.
  void remove(std::uint32_t slot, std::uint64_t hash);
  void clear();

  // Iterates over candidate slots: for (at = first(h); at != kNone; at = next(at)).
  std::uint32_t first(std::uint64_t hash) const { return buckets_[bucket_of(hash)]; }
  std::uint32_t next(std::uint32_t slot) const { return links_[slot].next; }

 private:
  struct Link {
    std::uint32_t next = kNone;
    std::uint32_t previous = kNone;  // kNone: first of its bucket
  };
  std::size_t bucket_of(std::uint64_t hash) const { return hash & (buckets_.size() - 1); }

  std::vector<std::uint32_t> buckets_;
  std::vector<Link> links_;  // by slot
};

}  // namespace claimsd::shm

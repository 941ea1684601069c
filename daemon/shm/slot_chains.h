// slot_chains.h: finds slots by a 64-bit hash. A hash table whose nodes are the slot numbers
// themselves: all memory is taken at the start, adding and removing a slot allocate nothing.
//
// Different things may have one hash: whoever walks a chain compares. Loop thread.
#pragma once

#include <cstdint>
#include <vector>

namespace claimsd::daemon {

class SlotChains {
 public:
  static constexpr std::uint32_t kNone = 0xffff'ffff;

  // For slots below `slots`, a power of two.
  explicit SlotChains(std::size_t slots);

  // The slot must not be in it.
  void add(std::uint32_t slot, std::uint64_t hash);
  // The slot must be in it, with this hash.
  void remove(std::uint32_t slot, std::uint64_t hash);
  void clear();

  // A walk over the slots that may have this hash: for (at = first(h); at != kNone; at = next(at)).
  std::uint32_t first(std::uint64_t hash) const { return buckets_[bucket_of(hash)]; }
  std::uint32_t next(std::uint32_t slot) const { return links_[slot].next; }

 private:
  struct Link {
    std::uint32_t next = kNone;
    std::uint32_t previous = kNone;  // kNone: the bucket's first
  };
  std::size_t bucket_of(std::uint64_t hash) const { return hash & (buckets_.size() - 1); }

  std::vector<std::uint32_t> buckets_;
  std::vector<Link> links_;  // by slot
};

}  // namespace claimsd::daemon

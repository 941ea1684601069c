#include "daemon/shm/slot_chains.h"

#include <algorithm>

namespace claimsd::shm {

SlotChains::SlotChains(std::size_t slots) : buckets_(slots, kNone), links_(slots) {}

void SlotChains::add(std::uint32_t slot, std::uint64_t hash) {
  std::uint32_t& bucket = buckets_[bucket_of(hash)];
  links_[slot] = {.next = bucket, .previous = kNone};
  if (bucket != kNone) links_[bucket].previous = slot;
  bucket = slot;
}

void SlotChains::remove(std::uint32_t slot, std::uint64_t hash) {
  const Link link = links_[slot];
  if (link.next != kNone) links_[link.next].previous = link.previous;
  if (link.previous != kNone) {
    links_[link.previous].next = link.next;
  } else {
    buckets_[bucket_of(hash)] = link.next;
  }
}

void SlotChains::clear() {
  std::fill(buckets_.begin(), buckets_.end(), kNone);
}

}  // namespace claimsd::shm

// key_index.h: maps a TokenKey to a node number. At a million entries a lookup costs two cache
// misses (table and node); std::unordered_map costs four or five. Each table place stores part of
// the hash as a tag, so other nodes are rarely read.
//
// Open addressing with linear probing, at most half full; deletion closes the gap
// (linear_probing.h). Keys must be uniformly distributed: their first bytes are the hash. Keys are
// stored in the nodes: `key_at(number)` returns a node's key. Loop thread.
#pragma once

#include <cstdint>
#include <vector>

#include "daemon/base/huge_pages.h"
#include "daemon/base/linear_probing.h"
#include "daemon/claims/parse/token.h"

namespace claimsd::claims {

class KeyIndex {
 public:
  static constexpr std::uint32_t kNone = 0xffffffffu;

  template <class KeyAt>
  std::uint32_t find(const TokenKey& key, const KeyAt& key_at) const {
    if (size_ == 0) return kNone;
    for (std::size_t at = home_of(key);; at = next(at)) {
      const Slot& place = places_[at];
      if (place.number == kNone) return kNone;
      if (place.tag == tag_of(key) && key_at(place.number) == key) return place.number;
    }
  }

  // Looks at the table only. kNone: the key is absent. Otherwise find() almost certainly succeeds.
  std::uint32_t guess(const TokenKey& key) const {
    if (size_ == 0) return kNone;
    std::size_t at = home_of(key);
    while (places_[at].number != kNone && places_[at].tag != tag_of(key)) at = next(at);
    return places_[at].number;
  }

  // `number`: a node whose key is not in the index.
  template <class KeyAt>
  void insert(std::uint32_t number, const KeyAt& key_at) {
    if (2 * (size_ + 1) > places_.size()) grow(key_at);
    put(number, key_at(number));
    ++size_;
  }

  // Call before the node itself changes. Does nothing if the key is absent.
  template <class KeyAt>
  void erase(const TokenKey& key, const KeyAt& key_at) {
    if (size_ == 0) return;
    std::size_t gap = home_of(key);
    while (places_[gap].number != kNone &&
           (places_[gap].tag != tag_of(key) || key_at(places_[gap].number) != key))
      gap = next(gap);
    if (places_[gap].number == kNone) return;
    --size_;
    close_gap(places_, gap,
              [&](const Slot& place) { return TokenKeyHash()(key_at(place.number)); });
  }

  std::size_t size() const { return size_; }

 private:
  static constexpr std::size_t kFirstSize = 16;
  struct Slot {
    std::uint32_t number = kNone;
    std::uint32_t tag = 0;
    bool operator==(const Slot&) const = default;
  };
  using Slots = std::vector<Slot, HugePageAllocator<Slot>>;

  std::size_t mask() const { return places_.size() - 1; }
  std::size_t home_of(const TokenKey& key) const { return TokenKeyHash()(key) & mask(); }
  // The hash bits that home_of() does not use.
  static std::uint32_t tag_of(const TokenKey& key) {
    return static_cast<std::uint32_t>(TokenKeyHash()(key) >> 32);
  }
  std::size_t next(std::size_t at) const { return (at + 1) & mask(); }

  void put(std::uint32_t number, const TokenKey& key) {
    std::size_t at = home_of(key);
    while (places_[at].number != kNone) at = next(at);
    places_[at] = {number, tag_of(key)};
  }

  template <class KeyAt>
  void grow(const KeyAt& key_at) {
    Slots before(places_.empty() ? kFirstSize : 2 * places_.size());
    before.swap(places_);
    for (const Slot& place : before) {
      if (place.number != kNone) put(place.number, key_at(place.number));
    }
  }

  Slots places_;  // size is a power of two, or zero
  std::size_t size_ = 0;
};

}  // namespace claimsd::claims

// key_index.h: from a key to the number of its node, among a million: two places in memory are
// looked at, the table's and the node's, where a std::unordered_map looks at four or five. What a
// hit costs among very many entries is what it has to fetch from memory.
//
// Open addressing with linear probing, at most half full; a deletion closes its gap (Knuth, TAOCP
// 3, 6.4, algorithm R), so that nothing has to be cleaned up. The keys are uniformly distributed:
// their first bytes are the hash. They stay in the nodes: `key_at(number)` gives a node's. Loop
// thread.
#pragma once

#include <cstdint>
#include <vector>

#include "daemon/claims/token.h"

namespace claimsd::daemon {

class KeyIndex {
 public:
  static constexpr std::uint32_t kNone = 0xffffffffu;

  template <class KeyAt>
  std::uint32_t find(const TokenKey& key, const KeyAt& key_at) const {
    if (size_ == 0) return kNone;
    for (std::size_t at = home_of(key);; at = next(at)) {
      if (numbers_[at] == kNone || key_at(numbers_[at]) == key) return numbers_[at];
    }
  }

  // `number` is a node whose key is not in here.
  template <class KeyAt>
  void insert(std::uint32_t number, const KeyAt& key_at) {
    if (2 * (size_ + 1) > numbers_.size()) grow(key_at);
    place(number, key_at);
    ++size_;
  }

  // Before the node itself changes. Nothing, where the key is not here.
  template <class KeyAt>
  void erase(const TokenKey& key, const KeyAt& key_at) {
    if (size_ == 0) return;
    std::size_t gap = home_of(key);
    while (numbers_[gap] != kNone && key_at(numbers_[gap]) != key) gap = next(gap);
    if (numbers_[gap] == kNone) return;
    --size_;
    for (std::size_t at = next(gap); numbers_[at] != kNone; at = next(at)) {
      // Stays where it is if its search begins behind the gap.
      const std::size_t home = home_of(key_at(numbers_[at]));
      const bool behind_gap = ((at - home) & mask()) < ((at - gap) & mask());
      if (behind_gap) continue;
      numbers_[gap] = numbers_[at];
      gap = at;
    }
    numbers_[gap] = kNone;
  }

  std::size_t size() const { return size_; }

 private:
  static constexpr std::size_t kFirstSize = 16;

  std::size_t mask() const { return numbers_.size() - 1; }
  std::size_t home_of(const TokenKey& key) const { return TokenKeyHash()(key) & mask(); }
  std::size_t next(std::size_t at) const { return (at + 1) & mask(); }

  template <class KeyAt>
  void place(std::uint32_t number, const KeyAt& key_at) {
    std::size_t at = home_of(key_at(number));
    while (numbers_[at] != kNone) at = next(at);
    numbers_[at] = number;
  }

  template <class KeyAt>
  void grow(const KeyAt& key_at) {
    std::vector<std::uint32_t> before(numbers_.empty() ? kFirstSize : 2 * numbers_.size(), kNone);
    before.swap(numbers_);
    for (const std::uint32_t number : before) {
      if (number != kNone) place(number, key_at);
    }
  }

  std::vector<std::uint32_t> numbers_;  // a power of two of them, or none
  std::size_t size_ = 0;
};

}  // namespace claimsd::daemon

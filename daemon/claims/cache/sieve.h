// sieve.h: which entry has to go when there is no room. SIEVE (Zhang et al., NSDI 2024): a queue by
// arrival, one mark a key, and a hand that moves from the oldest to the newest, clearing marks, and
// takes the first key without one. What has ended goes before that, so that nobody loses a good
// entry while a useless one stays.
//
// It knows keys, not values. One allocation a block of keys, links by index; a heap finds what has
// ended. Loop thread.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "daemon/base/clock.h"
#include "daemon/base/huge_pages.h"
#include "daemon/claims/cache/key_index.h"
#include "daemon/claims/parse/token.h"

namespace claimsd::daemon {

class Sieve {
 public:
  // Adds a key as the newest, or moves the end of its life. `ends`: from then on it goes before all
  // that have not ended, marked or not; the earliest end first.
  void put(const TokenKey& key, BootTime ends);
  // Marks a key as used since the hand last passed.
  void touch(const TokenKey& key);
  void erase(const TokenKey& key);
  bool holds(const TokenKey& key) const { return find(key) != kNowhere; }
  // Where a key is, until the next put(), erase() or evict(): for who looks first and marks later.
  using Place = std::uint32_t;
  static constexpr Place kNowhere = KeyIndex::kNone;
  Place find(const TokenKey& key) const;
  // A first look, which costs half of find(): false where a key is not here. Where it may be, what
  // find() needs is on its way from memory while the caller does something else.
  bool may_hold(const TokenKey& key) const;
  void touch(Place place) { nodes_[place].used = true; }
  // Takes the key that has to go out of the queue; nothing when it is empty. Clears so many marks
  // at most, on average few; where it has found nobody without one by then, whoever comes next
  // goes.
  static constexpr std::size_t kMostSteps = 1'000;
  std::optional<TokenKey> evict(BootTime now);
  std::size_t size() const { return index_.size(); }

 private:
  static constexpr std::uint32_t kNone = kNowhere;
  struct alignas(64) Node {  // one line of the processor's cache
    TokenKey key;
    BootTime ends;
    std::uint32_t newer = kNone;
    std::uint32_t older = kNone;
    std::uint32_t place = 0;  // in by_end_
    bool used = false;
  };

  auto key_at() const {
    return [this](std::uint32_t at) -> const TokenKey& { return nodes_[at].key; };
  }
  void link_newest(std::uint32_t at);
  void unlink(std::uint32_t at);
  std::uint32_t move_hand();
  void settle(std::uint32_t place);
  void leave(std::uint32_t place);

  std::vector<Node, HugePageAllocator<Node>> nodes_;
  std::vector<std::uint32_t> free_;
  KeyIndex index_;
  std::vector<std::uint32_t> by_end_;  // a binary heap of nodes, the earliest end on top
  std::uint32_t newest_ = kNone;
  std::uint32_t oldest_ = kNone;
  std::uint32_t hand_ = kNone;
};

}  // namespace claimsd::daemon

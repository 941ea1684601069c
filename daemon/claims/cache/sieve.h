// sieve.h: the eviction order of the cache: SIEVE (Zhang et al., NSDI 2024). A FIFO queue with one
// "used" mark per key. A hand moves from the oldest to the newest key, clears marks, and evicts the
// first unmarked key. Expired keys are evicted before any other.
//
// Holds keys, not values. Nodes are stored in one array and linked by index; a heap finds expired
// keys. Owned by VerdictCache; loop thread.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "daemon/base/clock.h"
#include "daemon/base/huge_pages.h"
#include "daemon/claims/cache/key_index.h"
#include "daemon/claims/parse/token.h"

namespace claimsd::claims {

class Sieve {
 public:
  // Adds a key as the newest, or changes when it expires. From `ends` on, the key is evicted before
  // any unexpired key, marked or not; the earliest end first.
  void put(const TokenKey& key, BootTime ends);
  // Marks a key as used since the hand last passed.
  void touch(const TokenKey& key);
  void erase(const TokenKey& key);
  bool holds(const TokenKey& key) const { return find(key) != npos; }
  // Index of a key, valid until the next put(), erase() or evict(). Lets a caller look first and
  // mark later.
  using Index = std::uint32_t;
  static constexpr Index npos = KeyIndex::kNone;
  Index find(const TokenKey& key) const;
  // A first check that costs half of find(). False: the key is absent. True: it may be present, and
  // the memory that find() needs is being prefetched.
  bool may_hold(const TokenKey& key) const;
  void touch(Index place) { nodes_[place].used = true; }
  // Removes and returns the key to evict; nullopt if empty. Clears at most kMaxSteps marks, few on
  // average; if all of those were marked, the next key is evicted.
  static constexpr std::size_t kMaxSteps = 1'000;
  std::optional<TokenKey> evict(BootTime now);
  std::size_t size() const { return index_.size(); }

 private:
  static constexpr std::uint32_t kNone = npos;
  struct alignas(64) Node {  // one cache line
    TokenKey key;
    BootTime ends;
    std::uint32_t newer = kNone;
    std::uint32_t older = kNone;
    std::uint32_t place = 0;  // index in by_end_
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
  std::vector<std::uint32_t> by_end_;  // binary heap of nodes, earliest end on top
  std::uint32_t newest_ = kNone;
  std::uint32_t oldest_ = kNone;
  std::uint32_t hand_ = kNone;
};

}  // namespace claimsd::claims

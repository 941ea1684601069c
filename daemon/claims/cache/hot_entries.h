// hot_entries.h: the few entries that are asked for all the time, opened, so that a socket hit
// costs neither an HMAC nor a look into the store.
//
// A view of the store, never more: an entry is put here only after the store has given it, and goes
// when the store's goes (erase), when its life ends (sweep), or when another one needs its place.
// Worth its place is what the store was asked for a second time lately (asked_again): among a
// million entries that are all asked for now and then, putting each one here for nothing would cost
// more than it takes to find it.
// Found by the whole token, compared byte by byte; a few of its bytes choose the place, so that a
// peer who makes up tokens for one place gains nothing but misses. What it holds is wiped when it
// goes. Bounded; loop thread.
#pragma once

#include <cstdint>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "daemon/base/random.h"
#include "daemon/base/secret.h"
#include "daemon/claims/entry.h"
#include "daemon/claims/parse/token.h"

namespace claimsd::daemon {

class HotEntries {
 public:
  struct Hot {
    TokenKey key;
    Entry entry;  // its claims stay readable until the next put, erase or sweep
    // From when on a question for it renews its lease (leases.h); min: nothing is known of one.
    BootTime renew_lease_at = BootTime::min();
    std::uint64_t vetted = 0;  // the generation of revocations that let it pass
  };

  // Room for `capacity` entries (rounded up to a power of two; 0: none at all).
  HotEntries(std::size_t capacity, Random& random);

  // Notes that the store was asked for a token; was it before, lately? May take another one for it.
  bool asked_again(UpstreamId upstream, std::string_view token);
  // Null when it is not here. Says nothing of freshness.
  const Hot* find(UpstreamId upstream, std::string_view token) const;
  void put(UpstreamId upstream, std::string_view token, const TokenKey& key, const Entry& entry,
           std::uint64_t vetted = 0);
  // Notes when the lease of what is here wants renewal.
  void set_renewal(UpstreamId upstream, std::string_view token, BootTime at);
  void erase(const TokenKey& key);
  // Wipes what has ended.
  void sweep(const Now& now);
  // Wipes everything.
  void clear();
  bool empty() const { return places_.empty(); }

 private:
  static constexpr std::size_t kWays = 2;
  static constexpr std::size_t kNotesPerSlot = 4;
  struct Slot {
    bool used = false;
    UpstreamId upstream = 0;
    std::uint64_t hash = 0;  // others are mostly told apart without a look at their tokens
    Secret token;
    Secret claims;
    Hot hot;
  };

  std::uint64_t hash_of(UpstreamId upstream, std::string_view token) const;
  std::size_t first_way(std::uint64_t hash) const {
    return (hash & (slots_.size() / kWays - 1)) * kWays;
  }
  void clear(Slot& slot);

  std::uint64_t seed_ = 0;
  std::vector<Slot> slots_;
  std::vector<std::uint32_t> asked_;  // what the store was asked for: parts of hashes, by others
  std::unordered_map<TokenKey, std::size_t, TokenKeyHash> places_;
};

}  // namespace claimsd::daemon

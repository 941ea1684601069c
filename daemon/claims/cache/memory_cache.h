// memory_cache.h: the in-memory cache of the most queried entries. A hit here costs neither an HMAC
// nor a store lookup.
//
// A view of the store: an entry is added only after the store has returned it, and removed when the
// store's entry is erased, when it expires (sweep) or when its slot is reused. An entry is added on
// the second query within a short time (asked_again), because with a million evenly used entries a
// single-use copy costs more than the lookup it saves.
//
// Lookups compare the whole token byte by byte. A few token bytes select the slot, so crafted
// tokens that collide only cause misses. Contents are wiped on removal. Bounded; loop thread.
#pragma once

#include <cstdint>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "daemon/base/random.h"
#include "daemon/base/secret.h"
#include "daemon/claims/entry.h"
#include "daemon/claims/parse/token.h"

namespace claimsd::claims {

class MemoryCache {
 public:
  struct Item {
    TokenKey key;
    Entry entry;  // its claims stay valid until the next put, erase or sweep
    // From this time on a query renews its lease (leases.h); min: no lease is known.
    BootTime renew_lease_at = BootTime::min();
    std::uint64_t vetted = 0;  // revocation generation at the last check
  };

  // `capacity` is rounded up to a power of two; 0 disables the cache.
  MemoryCache(std::size_t capacity, Random& random);

  // Records a store lookup of a token. True if the token was looked up recently; false positives
  // are possible.
  bool asked_again(UpstreamId upstream, std::string_view token);
  // Bytes of a token and its claims. A larger item is not kept, so that the cache stays small.
  static constexpr std::size_t kMaxItem = 32 * 1024;

  // Null if absent. Does not check freshness.
  const Item* find(UpstreamId upstream, std::string_view token) const;
  void put(UpstreamId upstream, std::string_view token, const TokenKey& key, const Entry& entry,
           std::uint64_t vetted = 0);
  // Sets when the lease of an entry is due for renewal.
  void set_renewal(UpstreamId upstream, std::string_view token, BootTime at);
  void erase(const TokenKey& key);
  // Removes and wipes expired entries.
  void sweep(const Now& now);
  // Removes and wipes all entries.
  void clear();
  bool empty() const { return places_.empty(); }

 private:
  static constexpr std::size_t kWays = 2;
  static constexpr std::size_t kNotesPerSlot = 4;
  struct Slot {
    bool used = false;
    UpstreamId upstream = 0;
    std::uint64_t hash = 0;  // rules out most mismatches before tokens are compared
    Secret token;
    Secret claims;
    Item memory_cache;
  };

  std::uint64_t hash_of(UpstreamId upstream, std::string_view token) const;
  std::size_t first_way(std::uint64_t hash) const {
    return (hash & (slots_.size() / kWays - 1)) * kWays;
  }
  void clear(Slot& slot);

  std::uint64_t seed_ = 0;
  std::vector<Slot> slots_;
  std::vector<std::uint32_t> asked_;  // parts of the hashes of recently looked-up tokens
  std::unordered_map<TokenKey, std::size_t, TokenKeyHash> places_;
};

}  // namespace claimsd::claims

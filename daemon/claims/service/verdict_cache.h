// verdict_cache.h: what the daemon remembers about tokens: confirmed entries and rejections.
//
// Owns the eviction order, the in-memory cache, the negative cache and the terms of leases, and
// keeps them consistent with the store (ClaimsCache) and with what is published (Publisher). An
// entry that the eviction order does not list is ignored everywhere, because the store may have
// failed to erase it. Checks purges and freshness; its users check revocations. Owned by
// ClaimsService; loop thread.
#pragma once

#include <optional>

#include "daemon/claims/cache/freshness.h"
#include "daemon/claims/cache/leases.h"
#include "daemon/claims/cache/memory_cache.h"
#include "daemon/claims/cache/negative_cache.h"
#include "daemon/claims/cache/sieve.h"
#include "daemon/claims/counters.h"
#include "daemon/claims/ports.h"
#include "daemon/claims/service/policy.h"
#include "daemon/claims/service/query.h"

namespace claimsd::claims {

class VerdictCache {
 public:
  struct Dependencies {
    const Policy& policy;
    Clock& clock;
    Random& random;
    ClaimsCache& cache;
    Publisher& publisher;
    const RevocationGuard& guard;
    Counters& counters;
  };
  explicit VerdictCache(Dependencies deps);
  VerdictCache(const VerdictCache&) = delete;
  VerdictCache& operator=(const VerdictCache&) = delete;
  ~VerdictCache() = default;

  // An entry that may answer a query now.
  struct Hit {
    TokenKey key;
    Entry entry;  // its claims stay valid until the next call of a non-const member
    Freshness freshness = Freshness::kFresh;
    bool renews_lease = false;  // the query is to publish a lease after its answer
    Sieve::Index place = Sieve::npos;
  };

  // A hit in the in-memory cache: no revocation was made since it was checked.
  std::optional<Hit> find_in_memory(const Query& query, const Now& now);
  // A hit in the store. Its user may be revoked.
  std::optional<Hit> find(const TokenKey& key, const Query& query, const Now& now);
  // The hit from the store answers the query: mark it as used, and copy it into memory if it was
  // used before.
  void used(const Hit& hit, const Query& query, const Now& now);
  // An entry that may be served stale. Its user may be revoked.
  std::optional<Entry> find_stale(const TokenKey& key, UpstreamId upstream,
                                  const std::optional<Duration>& max_age, const Now& now);
  // The entry for `key` whether it is fresh or not.
  std::optional<Entry> peek(const TokenKey& key);
  bool holds(const TokenKey& key) const { return sieve_.holds(key); }

  // Adds an entry of an earlier run. Call evict_for(0) after the last.
  void restore(const TokenKey& key, BootTime fresh_until);
  // Stores a confirmation. If the store cannot hold it, an older one is erased too.
  void put(const TokenKey& key, const Entry& entry, const Now& now);
  // Removes an entry and withdraws its lease.
  void erase(const TokenKey& key);
  // Evicts until `room` more entries fit.
  void evict_for(std::size_t room, const Now& now);

  NegativeCache& negative() { return negative_; }
  const NegativeCache& negative() const { return negative_; }
  Leases& leases() { return leases_; }
  // Visits entries in key order, as ClaimsCache::scan().
  std::optional<TokenKey> scan(const std::optional<TokenKey>& after, std::size_t most,
                               const std::function<void(const TokenKey&, const Entry&)>& visit);

  // Call after the publisher has lost all published leases: they are published again on demand.
  void republish() { memory_.clear(); }
  // Call after the policy has changed from `before`.
  void policy_changed(const Policy& before);
  // When sweep() has work to do; nullopt: not until the next hit.
  std::optional<BootTime> wake_time() const { return next_sweep_; }
  // Forgets what has expired.
  void sweep(const Now& now);

 private:
  Stored put_among_neighbors(const TokenKey& key, const Entry& entry);

  Dependencies deps_;
  NegativeCache negative_;
  Sieve sieve_;
  MemoryCache memory_;
  Leases leases_;
  std::optional<BootTime> next_sweep_;  // of memory_; nullopt while it is empty
};

}  // namespace claimsd::claims

// leases.h: when an entry is published to workers, and for how long they may use it.
//
// A lease is published after its answer is sent, from what the cache holds at that time: the sink
// may have issued another query or evicted the entry in between. An existing lease is kept until
// half of it has passed or the entry is confirmed again; a new confirmation withdraws the old lease
// first. Truncated claims are published with their flag. Uncacheable, revoked and purged entries
// are never published.
//
// Borrows parts of VerdictCache, which outlives it. Loop thread.
#pragma once

#include <optional>

#include "daemon/claims/cache/freshness.h"
#include "daemon/claims/cache/memory_cache.h"
#include "daemon/claims/cache/sieve.h"
#include "daemon/claims/ports.h"
#include "daemon/claims/revocation/revocation_guard.h"

namespace claimsd::claims {

// A lease of `length` for `entry`, limited by the entry's TTL and the token's `exp`. Nullopt: no
// time remains. `length` 0: never.
std::optional<LeaseEnd> lease_of(const Entry& entry, const Now& now, const TtlPolicy& policy,
                                 Duration length);

class Leases {
 public:
  // Where entries are looked up and published.
  struct Views {
    Clock& clock;
    ClaimsCache& cache;
    Publisher& publisher;
    const Sieve& sieve;
    const RevocationGuard& guard;
    MemoryCache& memory_cache;
  };
  Leases(const TtlPolicy& policy, Duration length, Views views)
      : policy_(policy), length_(length), views_(views) {}

  // Applies to future leases.
  void set_policy(const TtlPolicy& policy, Duration length) {
    policy_ = policy;
    length_ = length;
  }

  // Publishes the cached entry for `key` unless the current lease is recent enough.
  void publish(UpstreamId upstream, std::string_view token, const TokenKey& key);

  // What publish() would publish. The claims stay valid as described for ClaimsCache::find().
  struct Due {
    Entry entry;
    LeaseEnd end;
  };
  std::optional<Due> due(UpstreamId upstream, std::string_view token, const TokenKey& key);

 private:
  std::optional<Entry> find(UpstreamId upstream, std::string_view token, const TokenKey& key);
  bool is_revoked(UpstreamId upstream, std::string_view token, const Entry& entry,
                  const Now& now) const;
  BootTime renewal_of(BootTime lease_end, const Entry& entry) const;

  TtlPolicy policy_;
  Duration length_;
  Views views_;
};

}  // namespace claimsd::claims

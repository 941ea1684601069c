// leases.h: when an entry is shown to the workers, and for how long they may rely on it.
//
// An answer is published after it has left, as what the cache then holds: whatever the sink did in
// the meantime (asked again, made room) counts. A young lease is left alone: half of it must have
// passed, or the entry must have been confirmed anew, which withdraws the old one first. Trimmed
// claims are shown with their flag; what may not be kept is not in the cache and so never shown,
// and what was revoked or purged, though it may still lie there, is not shown either.
//
// Views of what ClaimsService owns, which outlives it. Loop thread.
#pragma once

#include <optional>

#include "daemon/claims/cache/freshness.h"
#include "daemon/claims/cache/hot_entries.h"
#include "daemon/claims/cache/sieve.h"
#include "daemon/claims/ports.h"
#include "daemon/claims/revocation/revocation_guard.h"

namespace claimsd::daemon {

// A lease of `length` for `entry`, which never outlives the entry or its token; none: there is
// nothing left to lease. `length` 0: never.
std::optional<LeaseEnd> lease_of(const Entry& entry, const Now& now, const LifePolicy& policy,
                                 Duration length);

class Leases {
 public:
  // Where entries are looked up and shown.
  struct Views {
    Clock& clock;
    ClaimsCache& cache;
    Publisher& publisher;
    const Sieve& sieve;
    const RevocationGuard& guard;
    HotEntries& hot;
  };
  Leases(const LifePolicy& policy, Duration length, Views views)
      : policy_(policy), length_(length), views_(views) {}

  // For leases to come.
  void set_policy(const LifePolicy& policy, Duration length) {
    policy_ = policy;
    length_ = length;
  }

  // Shows what is kept for `key` now, unless what is shown is young enough.
  void show(UpstreamId upstream, std::string_view token, const TokenKey& key);

  // What show() would publish; its claims stay readable as ClaimsCache::find() says.
  struct Due {
    Entry entry;
    LeaseEnd end;
  };
  std::optional<Due> due(UpstreamId upstream, std::string_view token, const TokenKey& key);

 private:
  std::optional<Entry> find(UpstreamId upstream, std::string_view token, const TokenKey& key);
  bool is_taken_back(UpstreamId upstream, std::string_view token, const Entry& entry,
                     const Now& now) const;
  BootTime renewal_of(BootTime lease_end, const Entry& entry) const;

  LifePolicy policy_;
  Duration length_;
  Views views_;
};

}  // namespace claimsd::daemon

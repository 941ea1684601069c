// inspector.h: what operators may see of the entries. Read-only: sets no eviction marks and
// publishes no leases. Has no state; made for each request. Loop thread.
#pragma once

#include <functional>
#include <optional>

#include "daemon/claims/inspection.h"
#include "daemon/claims/service/upstream_scheduler.h"
#include "daemon/claims/service/verdict_cache.h"

namespace claimsd::claims {

class Inspector {
 public:
  struct Dependencies {
    const Policy& policy;
    Keyer& keyer;
    const Publisher& publisher;
    const RevocationGuard& guard;
    VerdictCache& cache;
    UpstreamScheduler& upstreams;
    Now now;
  };
  explicit Inspector(Dependencies deps) : deps_(deps) {}

  // Visits up to `most` entries in key order, starting after `after`. Returns the key to continue
  // after, or nullopt at the end.
  std::optional<TokenKey> each(const std::optional<TokenKey>& after, std::size_t most,
                               const std::function<void(const EntryDescription&)>& visit);
  // What is known about one token at each Auth API.
  void each_finding(std::string_view token, const std::function<void(const TokenFinding&)>& visit);

 private:
  EntryDescription describe(const TokenKey& key, const Entry& entry,
                            std::optional<UpstreamId> upstream) const;

  Dependencies deps_;
};

}  // namespace claimsd::claims

// worker_reports.h: reports by workers of requests that they denied. Recorded, limited in rate, and
// freed of anything that could be part of a token.
//
// Owns the rate limit. The user is the one for whom the Auth API confirmed the token, if it is still
// cached; the worker's claim is used only otherwise. Owned by ClaimsService; loop thread.
#pragma once

#include <string>

#include "daemon/claims/audit/report.h"
#include "daemon/claims/service/pending_audit.h"
#include "daemon/claims/service/verdict_cache.h"
#include "daemon/claims/upstream/token_bucket.h"

namespace claimsd::claims {

class WorkerReports {
 public:
  struct Dependencies {
    const Policy& policy;
    Clock& clock;
    Keyer& keyer;
    VerdictCache& cache;
    PendingAudit& audit;
    Counters& counters;
  };
  explicit WorkerReports(Dependencies deps);

  // Sends exactly one receipt. False: the peer is over its report rate and may be throttled.
  bool record(const Report& report, const Waiter& waiter);
  // Call after the policy has changed from `before`.
  void policy_changed(const Policy& before);

 private:
  std::string confirmed_user(UpstreamId upstream, std::string_view token);
  bool within_rate(std::uint32_t uid, bool known, const Now& now);

  Dependencies deps_;
  TokenBuckets<std::uint64_t> rates_;  // key: uid, and whether the daemon knows the user
};

}  // namespace claimsd::claims

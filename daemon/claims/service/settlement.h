// settlement.h: what the result of a request says about its token: it updates the verdict cache
// and gives the answer for the flight's waiters.
//
// A rejection or a revocation takes effect in the cache before the answer is returned, so it is
// never behind an answer. Has no state of its own. Owned by ClaimsService; loop thread.
#pragma once

#include "daemon/claims/service/pending_audit.h"
#include "daemon/claims/service/upstream_scheduler.h"
#include "daemon/claims/service/verdict_cache.h"

namespace claimsd::claims {

class Settlement {
 public:
  struct Dependencies {
    const Policy& policy;
    Random& random;
    const RevocationGuard& guard;
    VerdictCache& cache;
    UpstreamScheduler& upstreams;
    PendingAudit& audit;
    Counters& counters;
  };
  explicit Settlement(Dependencies deps) : deps_(deps) {}

  // The answer's claims are those of `judgement`.
  Answer settle(const UpstreamScheduler::Completed& completed, const Now& now);
  // A rejection that is checked first: until then no entry of its token answers.
  void doubt(const Flight& flight) { deps_.cache.erase(flight.key); }
  // True if a revocation invalidates this confirmation.
  bool is_invalidated(const Flight& flight, std::string_view claims, const Now& now) const;

 private:
  Answer confirm(const UpstreamScheduler::Completed& completed, const Now& now);
  Answer reject(const Flight& flight, proto::Reason reason, const Now& now);

  Dependencies deps_;
};

}  // namespace claimsd::claims

// policy.h: the limits and durations of the whole policy, as set by the configuration.
//
// A plain value, owned by ClaimsService. Its parts hold references to it, so that a reload reaches
// all of them at once.
#pragma once

#include <vector>

#include "daemon/claims/audit/audit_sink.h"
#include "daemon/claims/audit/report.h"
#include "daemon/claims/cache/freshness.h"
#include "daemon/claims/revocation/revocation_guard.h"
#include "daemon/claims/upstream/circuit_breaker.h"
#include "daemon/claims/upstream/rate_limiter.h"
#include "daemon/claims/upstream/response_class.h"

namespace claimsd::claims {

struct Policy {
  TtlPolicy ttl;
  Duration negative_ttl = seconds(5);
  std::size_t negative_entries = 10'000;
  std::size_t max_entries = 100'000;
  std::size_t memory_entries = 1'024;  // in-memory cache entries
  std::size_t max_in_flight = 64;      // requests in flight to one Auth API
  std::size_t max_pending = 4'096;     // requests to one Auth API waiting for their turn
  std::size_t max_waiters = 65'536;    // queries waiting
  std::size_t max_waiters_per_uid = 16'384;
  Duration max_timeout = seconds(30);
  Duration lease = seconds(5);  // how long a worker may use a published entry
  RevocationPolicy revocations;
  BreakerPolicy breaker;  // max_in_flight is set from above
  RateLimitPolicy rate_limit;
  ReportPolicy reports;
  AuditScope audit;  // answers whose records must be durable before they are sent
  std::vector<UpstreamPolicy> upstreams;  // indexed by UpstreamId

  // When a client that waits for `timeout` gives up. 0, or more than the maximum: the maximum.
  BootTime deadline_after(Duration timeout, BootTime now) const {
    return now + (timeout <= Duration(0) || timeout > max_timeout ? max_timeout : timeout);
  }
};

}  // namespace claimsd::claims

// invariants.h: the invariants that are checked after every step, one row and one function each.
//
// Checks use the Records only: the simulator's own view of inputs and outputs. From the service
// they use its counters and its wake-up time, which are themselves checked.
#pragma once

#include <span>
#include <string>

#include "daemon/claims/service.h"
#include "tests/sim/health.h"
#include "tests/sim/records.h"
#include "tests/sim/scenario.h"

namespace claimsd::sim {

struct Facts {
  const claims::Policy& policy;
  Records& records;
  const std::array<UpstreamHealth, 2>& health;  // indexed by upstream
  const claims::ClaimsService& service;
  unsigned uids = 0;  // number of uids that make queries

  const Step& step() const { return records.step; }
  const Now& now() const { return records.step.now; }
};

struct Invariant {
  std::string_view name;
  std::string_view says;
  // Returns "" if the invariant holds, otherwise the violation.
  std::string (*check)(const Facts& facts);
};

std::span<const Invariant> invariants();

// I(name, description)
// clang-format off
#define CLAIMSD_SIM_INVARIANTS(I) \
  I(ports,           "the core respects the contracts of its ports") \
  I(ttl,            "an answer is valid only until min(start of the request + TTL, exp - skew)") \
  I(newer_refusal,   "a rejected token becomes valid only by a request that started later") \
  I(revoked,         "a revoked token is never valid after the call has returned") \
  I(denied_in_time,  "no revocation invalidates other users' tokens, or any token after it has ended") \
  I(purged,          "a query after a purge is answered by a request that started after the purge") \
  I(complete,        "a host that may lack revocations of its fleet answers nothing valid and publishes nothing") \
  I(withdrawn,       "a purge or revocation withdraws leases before it returns") \
  I(claims,          "claims are complete and belong to the token's user and its confirmation") \
  I(max_age,         "no answer is older than its max_age") \
  I(provenance,      "source, age, TTL and flags of an answer are correct") \
  I(invalid_cause,   "an invalid token was rejected recently, is malformed or has expired; an outage never makes it invalid") \
  I(unavailable_cause, "each unavailable answer has the cause that its reason names") \
  I(stale,           "a stale answer is given only if allowed, after the TTL, while the Auth API gives no verdict") \
  I(purged_first,    "a rejected token is removed from store and map before any waiter is answered") \
  I(deadline,        "no query waits past its deadline") \
  I(wake_time,       "the wake-up time is no later than the earliest deadline") \
  I(completion_answers, "waiters are answered when their request completes") \
  I(hit,             "a fresh cached entry answers immediately") \
  I(single_flight,   "at most one request per token is in flight") \
  I(in_flight,       "requests in flight stay within their limit") \
  I(request_cause,   "a request has waiters, is a refresh-ahead of an entry in use, or checks a rejection") \
  I(health,          "a failing Auth API or token gets a backoff, one probe, then a ramp") \
  I(retries,         "retries go to another URL or a new connection and stay within the retry budget") \
  I(new_connection,  "probes, retries and checks of rejections use new connections") \
  I(doubted,         "a rejection over an old connection is believed only if new connections agree") \
  I(budget,          "requests stay within the rate limits of all uids") \
  I(unusable_unasked,"a malformed or expired token is never sent to an Auth API") \
  I(negative_spares, "a token with a negative entry causes no request") \
  I(stopped,         "a stopping core starts no requests") \
  I(eviction_cause,  "an entry is removed only by its own rejection or to make room for a confirmed one") \
  I(ended_first,     "no unexpired entry is evicted while an expired one stays") \
  I(kept,            "a cached entry was confirmed and has at most the TTL of the policy") \
  I(bounded,         "entries, negative entries, queries and requests stay within their limits") \
  I(counters,        "counters are correct") \
  I(recorded,        "an answer that must be recorded is sent only with a durable record") \
  I(held,            "answers are released when their record is durable or has failed") \
  I(lease_recorded,  "a lease that must be recorded is published only with a durable record") \
  I(reported,        "a report gets one receipt in time, which is positive only after its record is durable") \
  I(reported_user,   "a report is recorded for the confirmed user; if none is known, for the user that the worker claims") \
  I(report_rate,     "reports are recorded individually up to the rate of their uid") \
  I(lease,           "a lease publishes a cached confirmation and ends no later than it")
// clang-format on

#define CLAIMSD_SIM_INVARIANT_DECLARE(name, says) std::string check_##name(const Facts& facts);
CLAIMSD_SIM_INVARIANTS(CLAIMSD_SIM_INVARIANT_DECLARE)
#undef CLAIMSD_SIM_INVARIANT_DECLARE

}  // namespace claimsd::sim

// counters.h: the policy's counters, one row each (base/counter_table.h). Loop thread.
#pragma once

#include "daemon/base/counter_table.h"

namespace claimsd::claims {

// clang-format off
#define CLAIMSD_COUNTERS(C) \
  C(queries,              "Queries from clients over the socket") \
  C(answers_valid,          "Answers that a token is valid") \
  C(answers_invalid,        "Answers that a token is invalid") \
  C(answers_unavailable,    "Answers without a verdict (unavailable)") \
  C(cache_hits,             "Queries answered from the cache") \
  C(negative_hits,          "Queries answered from the negative cache") \
  C(local_rejections,         "Tokens rejected without a request: malformed, too long or expired") \
  C(joined_flights,         "Queries that joined a request in flight") \
  C(upstream_requests,      "Requests to an Auth API") \
  C(upstream_confirmations, "Requests that confirmed a token") \
  C(upstream_rejections,      "Requests that rejected a token") \
  C(upstream_failures,      "Requests without a verdict: timeouts, connection errors, unexpected statuses, invalid bodies") \
  C(deadlines,              "Queries that timed out before the Auth API answered") \
  C(overloads,              "Queries answered unavailable because too many were waiting") \
  C(backoffs,               "Queries answered unavailable because the circuit breaker was open") \
  C(token_backoffs,         "Queries answered unavailable because requests for their token keep failing while others succeed") \
  C(rate_limited,            "Queries answered unavailable because their uid or client address exceeded its rate limit") \
  C(stale_answers,          "Queries answered with a stale answer because the Auth API was unavailable") \
  C(refreshes,              "Requests that refreshed an answer before it expired") \
  C(retries,                "Requests retried at another URL of an Auth API, or over a new connection") \
  C(rejection_checks,       "Rejections over an old connection that were checked over a new one") \
  C(upstream_disagrees,     "Of these, those where the new connection confirmed the token: an old instance had rejected it") \
  C(not_cached,               "Confirmations that were not cached: no-store, no TTL left, no room") \
  C(late_results,           "Results dropped because a later one had already taken effect") \
  C(truncated,                "Confirmations whose claims were truncated because they were too large") \
  C(evictions,              "Entries evicted to make room") \
  C(purges,                 "Purges requested") \
  C(revocations,            "Revocations put into effect") \
  C(withdrawals,            "Revocations withdrawn") \
  C(revoked_answers,        "Answers that a revocation made invalid") \
  C(unrecorded,             "Answers withheld because their audit record was not written in time") \
  C(superseded_answers,              "Answers whose verdict changed while their audit record was written") \
  C(reports,                "Rejections reported by workers") \
  C(reports_aggregated,          "Reports above the rate limit of their uid, aggregated in the audit log") \
  C(reports_unrecorded,     "Reports that were not written to the audit log in time") \
  C(reports_lost,           "Reports that were never acknowledged, as counted by workers")
// clang-format on

CLAIMSD_COUNTER_STRUCT(Counters, CLAIMSD_COUNTERS)

}  // namespace claimsd::claims

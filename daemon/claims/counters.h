// counters.h: the policy's counters, one row each (base/counter_table.h). Loop thread.
#pragma once

#include "daemon/base/counter_table.h"

namespace claimsd::claims {

// clang-format off
#define CLAIMSD_COUNTERS(C) \
  C(queries,              "Questions asked by clients over the socket") \
  C(answers_valid,          "Answers that a token is valid") \
  C(answers_invalid,        "Answers that a token is invalid") \
  C(answers_unavailable,    "Answers that nobody could say") \
  C(cache_hits,             "Questions answered from the cache") \
  C(negative_hits,          "Questions answered from a refusal of the last seconds") \
  C(local_rejections,         "Tokens refused without asking: malformed, too long or past their expiry") \
  C(joined_flights,         "Questions that joined a request already on its way") \
  C(upstream_requests,      "Requests made to an Auth API") \
  C(upstream_confirmations, "Requests that confirmed a token") \
  C(upstream_rejections,      "Requests that refused a token") \
  C(upstream_failures,      "Requests that settled nothing: timeouts, connection errors, unexpected statuses, bad bodies") \
  C(deadlines,              "Questions whose own time-out passed before the Auth API answered") \
  C(overloads,              "Questions turned away because too many were waiting") \
  C(backoffs,               "Questions turned away while a failing Auth API was left alone") \
  C(token_backoffs,         "Questions turned away because requests for their token fail again and again, and others' do not") \
  C(rate_limited,            "Questions turned away because their peer asks for too many unknown tokens") \
  C(stale_answers,          "Questions answered past the freshness of what is known, since nobody could say better") \
  C(refreshes,              "Requests made ahead of time, before the end of a life") \
  C(retries,                "Requests made again at another URL of an Auth API") \
  C(not_cached,               "Confirmations passed on but not kept: no-store, no life left, no room") \
  C(late_results,           "Results dropped because a later one had already taken effect") \
  C(truncated,                "Confirmations whose claims were too large to keep whole") \
  C(evictions,              "Entries evicted to make room") \
  C(purges,                 "Purges asked for") \
  C(revocations,            "Revocations asked for and in effect") \
  C(revoked_answers,        "Answers that a revocation made invalid") \
  C(unrecorded,             "Answers withheld because the audit log did not take their record in time") \
  C(superseded_answers,              "Answers decided otherwise when their audit record was written") \
  C(reports,                "Refusals that workers reported") \
  C(reports_aggregated,          "Reports beyond the rate of their user id: counted together in the audit log") \
  C(reports_unrecorded,     "Reports that the audit log did not take in time") \
  C(reports_lost,           "Reports that workers say were never acknowledged")
// clang-format on

CLAIMSD_COUNTER_STRUCT(Counters, CLAIMSD_COUNTERS)

}  // namespace claimsd::claims

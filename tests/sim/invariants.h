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
  const daemon::Policy& policy;
  Records& records;
  const std::array<UpstreamHealth, 2>& health;  // indexed by upstream
  const daemon::ClaimsService& service;
  unsigned uids = 0;  // number of uids that make queries

  const Step& step() const { return records.step; }
  const daemon::Now& now() const { return records.step.now; }
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
  I(ports,           "the core uses its ports as they ask to be used") \
  I(life,            "valid is said only until min(start of the request + life, exp - skew)") \
  I(newer_refusal,   "what was refused is valid again only by a request that started later") \
  I(revoked,         "what was revoked is valid for nobody once the order has returned") \
  I(denied_in_time,  "nobody is denied by a revocation that is not about them, or is over") \
  I(purged,          "who asks after a purge is answered by a request that started after it") \
  I(withdrawn,       "an order takes leases away before it returns") \
  I(claims,          "claims are whole, of that token's user, and those of that confirmation") \
  I(max_age,         "no answer is older than its asker accepts") \
  I(provenance,      "source, age, time left and flags say what happened") \
  I(invalid_cause,   "invalid is said of what was refused lately, cannot be a token or has expired; never for an outage") \
  I(unavailable_cause, "each reason for saying nothing has its cause") \
  I(stale,           "stale is said only where it is allowed, of what is past its life, while nobody can say better") \
  I(purged_first,    "a refusal is gone from store and map before anybody is told") \
  I(deadline,        "nobody waits past their deadline") \
  I(wake_time,       "the core asks to be woken by the earliest deadline") \
  I(landing_answers, "who waited for a request hears of it when it lands") \
  I(hit,             "what is kept and fresh answers at once") \
  I(single_flight,   "one request on its way for one token") \
  I(in_flight,       "no more requests on their way than allowed") \
  I(request_cause,   "the Auth API is asked only for somebody who waits, or ahead of time for what is used") \
  I(health,          "a failing Auth API, or token, is left alone, probed by one request, then asked more and more") \
  I(retries,         "requests are made again at another URL, and seldom") \
  I(budget,          "requests stay within what the user ids may cause") \
  I(unusable_unasked,"what cannot be a token, or is long past its exp, reaches no Auth API") \
  I(negative_spares, "a token refused a moment ago is not asked about again") \
  I(stopped,         "once it stops the core asks nothing new") \
  I(eviction_cause,  "an entry goes only for its own refusal or to make room for a confirmed one: junk evicts nothing") \
  I(ended_first,     "no entry with life left goes while an ended one stays") \
  I(kept,            "what is kept is what was confirmed, with no longer a life than the rule's") \
  I(bounded,         "entries, refusals, questions and requests stay within their limits") \
  I(counters,        "counters say what happened") \
  I(recorded,        "an answer that the audit log must know of is given once that has its record, and is withheld otherwise") \
  I(held,            "who waits for a record hears of it when that is on disk, or lost") \
  I(lease_recorded,  "a lease that the audit log must know of is shown once that has its record") \
  I(reported,        "a report has one receipt in time, which says recorded once it is, and only then") \
  I(reported_user,   "a report is of the user whom the Auth API confirmed; of the one that the worker names where nobody knows") \
  I(report_rate,     "reports are written out one by one up to the rate of their user id") \
  I(lease,           "a lease shows a kept confirmation and ends no later than it")
// clang-format on

#define CLAIMSD_SIM_INVARIANT_DECLARE(name, says) std::string check_##name(const Facts& facts);
CLAIMSD_SIM_INVARIANTS(CLAIMSD_SIM_INVARIANT_DECLARE)
#undef CLAIMSD_SIM_INVARIANT_DECLARE

}  // namespace claimsd::sim

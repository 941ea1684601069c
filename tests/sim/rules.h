// rules.h: the policy's rules, implemented a second time from the simulator's records. Shared by
// the invariants and the prediction of hits.
#pragma once

#include <algorithm>

#include "daemon/claims/service.h"
#include "tests/sim/records.h"

namespace claimsd::sim {

// True if a cached answer is past the token's exp minus the skew.
inline bool past_exp_less_skew(const TokenRecord& token, const Now& now,
                               const claims::Policy& policy) {
  if (token.expires_at == WallTime::max()) return false;
  return now.wall >= token.expires_at - policy.ttl.clock_skew;
}

// True if the token is past its exp plus the skew, so that it is rejected locally.
inline bool past_exp_and_skew(const TokenRecord& token, const Now& now,
                              const claims::Policy& policy) {
  if (token.expires_at == WallTime::max()) return false;
  return now.wall > token.expires_at + policy.ttl.clock_skew;
}

// When a confirmation expires.
inline BootTime end_of(const Confirmation& confirmation, const claims::Policy& policy) {
  return confirmation.started.boot + std::min(confirmation.ttl, policy.ttl.max_ttl);
}

inline Duration ttl_of(const Response& response, const claims::Policy& policy) {
  if (!response.max_age) return policy.ttl.max_ttl;
  const Duration by_headers = std::max(seconds(0), *response.max_age - response.age);
  return std::min(policy.ttl.max_ttl, by_headers);
}

enum class Meaning : std::uint8_t { kConfirms, kRefuses, kNothing };

inline Meaning meaning_of(const Response& response, const claims::UpstreamPolicy& policy) {
  if (response.failure != proto::Reason::kOk) return Meaning::kNothing;
  const auto& refusals = policy.rejection_statuses;
  if (std::find(refusals.begin(), refusals.end(), response.status) != refusals.end())
    return Meaning::kRefuses;
  return response.status == 200 && !response.broken_body ? Meaning::kConfirms : Meaning::kNothing;
}

inline proto::Reason reason_of(const Response& response) {
  if (response.failure != proto::Reason::kOk) return response.failure;
  return response.status == 200 ? proto::Reason::kUpstreamBody : proto::Reason::kUpstreamStatus;
}

// The confirmation behind an answer of this age, or null.
inline const Confirmation* confirmed_at(const TokenRecord& token, BootTime started) {
  for (auto at = token.confirmations.rbegin(); at != token.confirmations.rend(); ++at) {
    if (at->started.boot == started) return &*at;
  }
  return nullptr;
}

}  // namespace claimsd::sim

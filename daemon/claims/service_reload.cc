// Applies a new policy while queries are in progress. Part of ClaimsService (service.h).
#include <utility>

#include "daemon/claims/service.h"

namespace claimsd::claims {

void ClaimsService::reconfigure(Policy policy) {
  // Fixed at startup.
  policy.negative_entries = policy_.negative_entries;
  policy.max_entries = policy_.max_entries;
  policy.memory_entries = policy_.memory_entries;
  policy.revocations.max_rules = policy_.revocations.max_rules;
  policy.upstreams = policy_.upstreams;
  policy.breaker.max_in_flight = static_cast<std::uint32_t>(policy.max_in_flight);
  const Policy before = std::exchange(policy_, std::move(policy));

  negative_cache_.set_ttl(policy_.negative_ttl);
  if (policy_.rate_limit != before.rate_limit) rate_limiter_ = RateLimiter(policy_.rate_limit);
  if (policy_.reports != before.reports)
    reports_ = TokenBuckets<std::uint64_t>(policy_.reports.per_uid, policy_.reports.max_uids);
  guard_.set_policy(policy_.revocations);
  for (UpstreamState& state : upstreams_) state.breaker.set_policy(policy_.breaker);
  token_breaker_.set_policy(policy_.breaker);
  if (policy_.ttl != before.ttl || policy_.lease != before.lease) {
    // Published leases follow the old policy, and the in-memory cache holds their renewal times.
    leases_.set_policy(policy_.ttl, policy_.lease);
    deps_.publisher.withdraw_all();
    memory_cache_.clear();
  }
  // The new limits may allow more requests.
  for (std::size_t upstream = 0; upstream < upstreams_.size(); ++upstream)
    start_pending(static_cast<UpstreamId>(upstream), deps_.clock.now());
}

}  // namespace claimsd::claims

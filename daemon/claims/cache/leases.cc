#include "daemon/claims/cache/leases.h"

#include <algorithm>

namespace claimsd::claims {
namespace {

// The current policy's max_ttl also limits older confirmations.
BootTime ttl_end(const Entry& entry, const TtlPolicy& policy) {
  return std::min(entry.fresh_until, entry.confirmed_at + policy.max_ttl);
}

}  // namespace

std::optional<LeaseEnd> lease_of(const Entry& entry, const Now& now, const TtlPolicy& policy,
                                 Duration length) {
  if (length <= Duration(0) || !is_fresh(entry, now, policy, std::nullopt)) return std::nullopt;
  LeaseEnd end{.lease = std::min(now.boot + length, ttl_end(entry, policy))};
  if (entry.expires_at != WallTime::max()) end.hard = entry.expires_at - policy.clock_skew;
  return end;
}

void Leases::publish(UpstreamId upstream, std::string_view token, const TokenKey& key) {
  const std::optional<Due> lease = due(upstream, token, key);
  if (!lease) return;
  views_.publisher.publish(upstream, token, key, lease->entry, lease->end);
  views_.memory_cache.set_renewal(upstream, token, renewal_of(lease->end.lease, lease->entry));
}

std::optional<Leases::Due> Leases::due(UpstreamId upstream, std::string_view token,
                                       const TokenKey& key) {
  const std::optional<Entry> entry = find(upstream, token, key);
  if (!entry) return std::nullopt;
  const Now now = views_.clock.now();
  if (is_revoked(upstream, token, *entry, now)) return std::nullopt;
  const std::optional<LeaseEnd> end = lease_of(*entry, now, policy_, length_);
  if (!end) return std::nullopt;
  if (const BootTime renew_at = renewal_of(views_.publisher.published_until(key), *entry);
      renew_at > now.boot) {
    views_.memory_cache.set_renewal(upstream, token, renew_at);
    return std::nullopt;
  }
  return Due{*entry, *end};
}

bool Leases::is_revoked(UpstreamId upstream, std::string_view token, const Entry& entry,
                        const Now& now) const {
  const RevocationGuard& guard = views_.guard;
  return !guard.is_complete() || guard.invalidates_token(token, now) ||
         guard.invalidates_claims(upstream, entry.claims, entry.issued_at, now) ||
         guard.is_purged(upstream, entry.claims, entry.confirmed_at);
}

// An entry that the sieve does not list is ignored, even if the store still has it.
std::optional<Entry> Leases::find(UpstreamId upstream, std::string_view token,
                                  const TokenKey& key) {
  if (const MemoryCache::Item* const memory_cache = views_.memory_cache.find(upstream, token))
    return memory_cache->entry;
  if (!views_.sieve.holds(key)) return std::nullopt;
  return views_.cache.find(key);
}

// When a query renews a lease with this end. Never, if the lease lasts as long as the entry.
BootTime Leases::renewal_of(BootTime lease_end, const Entry& entry) const {
  if (lease_end == BootTime::min()) return lease_end;
  return lease_end >= ttl_end(entry, policy_) ? BootTime::max() : lease_end - length_ / 2;
}

}  // namespace claimsd::claims

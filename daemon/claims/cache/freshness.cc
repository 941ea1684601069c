#include "daemon/claims/cache/freshness.h"

#include <algorithm>

namespace claimsd::claims {

BootTime expires_at(BootTime started, const CacheHeaders& headers, const TtlPolicy& policy,
                    Random& random) {
  Duration ttl = policy.max_ttl;
  if (headers.lifetime) ttl = std::min<Duration>(ttl, *headers.lifetime);
  // Jitter only shortens: tokens that were confirmed together should not all expire together.
  const auto span = static_cast<std::uint64_t>(ttl.count() / 100 * policy.jitter_percent);
  if (span > 0) ttl -= Duration(static_cast<std::int64_t>(random.below(span + 1)));
  return started + ttl;
}

Duration ttl_remaining(const Entry& entry, const Now& now, const TtlPolicy& policy) {
  // A confirmation from the future was made under a different clock.
  if (entry.confirmed_at > now.boot) return Duration(0);
  // The entry may have been confirmed under a longer max_ttl.
  const BootTime end = std::min(entry.fresh_until, entry.confirmed_at + policy.max_ttl);
  const Duration of_life = end - now.boot;
  if (entry.expires_at == WallTime::max()) return of_life;
  // Checked before the subtraction, which could overflow for an `exp` near the start of the range.
  if (entry.expires_at <= now.wall) return Duration(0);
  const Duration of_token = entry.expires_at - now.wall;
  return std::min(of_life, of_token - policy.clock_skew);
}

Freshness freshness_of(const Entry& entry, const Now& now, const TtlPolicy& policy,
                       const std::optional<Duration>& max_age) {
  if (entry.confirmed_at > now.boot) return Freshness::kUnusable;
  // Checked before the subtraction, which could overflow for an `exp` near the start of the range.
  if (entry.expires_at <= now.wall) return Freshness::kUnusable;
  if (entry.expires_at != WallTime::max() && entry.expires_at - now.wall <= policy.clock_skew)
    return Freshness::kUnusable;
  const Duration age = now.boot - entry.confirmed_at;
  if (max_age && (*max_age == Duration(0) || age > *max_age)) return Freshness::kStale;
  const BootTime end = std::min(entry.fresh_until, entry.confirmed_at + policy.max_ttl);
  if (now.boot >= end) {
    return now.boot < end + policy.stale_if_error ? Freshness::kStaleUsable : Freshness::kStale;
  }
  const Duration ttl = end - entry.confirmed_at;
  return end - now.boot <= ttl / 100 * policy.refresh_percent ? Freshness::kRefreshDue
                                                              : Freshness::kFresh;
}

bool is_fresh(const Entry& entry, const Now& now, const TtlPolicy& policy,
              const std::optional<Duration>& max_age) {
  return is_usable(freshness_of(entry, now, policy, max_age));
}

bool has_expired(WallTime expires_at, const Now& now, const TtlPolicy& policy) {
  return expires_at < now.wall - policy.clock_skew;
}

}  // namespace claimsd::claims

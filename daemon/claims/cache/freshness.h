// freshness.h: how long a cached answer may be used.
//
// The first of two clocks to expire ends an entry: BootTime for its TTL, WallTime for the token's
// own `exp`. Pure; any thread.
#pragma once

#include <optional>

#include "daemon/base/clock.h"
#include "daemon/base/random.h"
#include "daemon/claims/entry.h"
#include "daemon/claims/parse/cache_headers.h"

namespace claimsd::claims {

struct TtlPolicy {
  Duration max_ttl = seconds(60);
  Duration clock_skew = seconds(30);
  unsigned jitter_percent = 10;  // a TTL is shortened by up to this percentage
  // stale-if-error: grace period after the TTL, used while the Auth API fails; 0: none.
  Duration stale_if_error{};
  unsigned refresh_percent = 10;  // Refresh-ahead starts in this last part of the TTL; 0: never.
  friend bool operator==(const TtlPolicy&, const TtlPolicy&) = default;
};

// When an answer expires whose request started at `started`: min(max_ttl, headers), minus jitter.
// Excludes the token's `exp`, which is compared with the wall clock at every use.
BootTime expires_at(BootTime started, const CacheHeaders& headers, const TtlPolicy& policy,
                    Random& random);

// Remaining TTL of `entry`; zero or negative: expired.
Duration ttl_remaining(const Entry& entry, const Now& now, const TtlPolicy& policy);

// What an entry may be used for.
enum class Freshness : std::uint8_t {
  kFresh,
  kRefreshDue,   // fresh, and due for refresh-ahead
  kStaleUsable,  // TTL expired; usable only if the Auth API cannot answer
  kStale,        // must be verified with the Auth API
  kUnusable,  // unusable: the token itself has expired, or the entry's times come from another clock
};
constexpr bool is_usable(Freshness freshness) {
  return freshness == Freshness::kFresh || freshness == Freshness::kRefreshDue;
}
Freshness freshness_of(const Entry& entry, const Now& now, const TtlPolicy& policy,
                       const std::optional<Duration>& max_age);

// True if `entry` may answer a query now. `max_age`: the oldest confirmation that the client
// accepts; nullopt: any.
bool is_fresh(const Entry& entry, const Now& now, const TtlPolicy& policy,
              const std::optional<Duration>& max_age);

// True if `exp` is past by more than the clock skew: the token is rejected without a request.
bool has_expired(WallTime expires_at, const Now& now, const TtlPolicy& policy);

}  // namespace claimsd::claims

// freshness.h: how long an answer may be relied on, as a few functions one can read in a minute.
//
// Two clocks end a life, whichever comes first: BootTime the life given to it, WallTime the token's
// own `exp`. Pure; any thread.
#pragma once

#include <optional>

#include "daemon/base/clock.h"
#include "daemon/base/random.h"
#include "daemon/claims/entry.h"
#include "daemon/claims/parse/cache_headers.h"

namespace claimsd::daemon {

struct LifePolicy {
  Duration max_ttl = seconds(60);
  Duration clock_skew = seconds(30);
  unsigned jitter_percent = 10;   // a life is shortened by up to this much
  Duration stale_if_error{};      // after its life, while nobody can say better; 0: never
  unsigned refresh_percent = 10;  // of a life, its last part: asked again ahead of time; 0: never
  friend bool operator==(const LifePolicy&, const LifePolicy&) = default;
};

// End of the life of an answer whose request started at `started`: min(max_ttl, headers), jittered
// downwards. The token's `exp` is not in it: it is compared with the wall clock at every use.
BootTime end_of_life(BootTime started, const CacheHeaders& headers, const LifePolicy& policy,
                     Random& random);

// How much longer `entry` may be relied on; zero or less: not at all.
Duration time_left(const Entry& entry, const Now& now, const LifePolicy& policy);

// What an entry is good for.
enum class Freshness : std::uint8_t {
  kFresh,
  kRefreshDue,   // fresh, and it is time to ask again
  kStaleUsable,  // its life is over; it may answer if the Auth API cannot
  kExpired,      // ask again
  kRefused,      // the token's own time is over, or the entry is from another clock
};
constexpr bool is_usable(Freshness freshness) {
  return freshness == Freshness::kFresh || freshness == Freshness::kRefreshDue;
}
Freshness freshness_of(const Entry& entry, const Now& now, const LifePolicy& policy,
                       const std::optional<Duration>& max_age);

// May `entry` answer a question now? `max_age`: how old a confirmation the asker accepts; none:
// any.
bool is_fresh(const Entry& entry, const Now& now, const LifePolicy& policy,
              const std::optional<Duration>& max_age);

// Has the token's own `exp` passed by more than the skew, so that no Auth API need be asked?
bool has_expired(WallTime expires_at, const Now& now, const LifePolicy& policy);

}  // namespace claimsd::daemon

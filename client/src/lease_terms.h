// lease_terms.h: the terms of a lease and whether they still hold. The only place that decides
// this, for leases in the map and for copies in the local table. Pure; values.
#pragma once

#include "client/src/deadline.h"
#include "proto/shm_layout.h"

namespace claimsd::client {

struct LeaseTerms {
  std::uint64_t epoch = 0;
  std::uint64_t confirmed_at = 0;  // ns, CLOCK_BOOTTIME
  std::uint64_t lease_end = 0;     // ns, CLOCK_BOOTTIME
  std::uint64_t hard_end = 0;      // ns, CLOCK_REALTIME
};

// The clocks of one lookup. Read them after the lookup began, so that no expired lease is accepted.
struct Moment {
  std::uint64_t boot = 0;
  std::uint64_t coarse_wall = 0;

  static Moment now() {
    return {static_cast<std::uint64_t>(boot_time_ns()),
            static_cast<std::uint64_t>(coarse_wall_time_ns())};
  }
};

// Within this margin of a token's expiry the exact clock is used: the coarse one may be late, but
// by far less.
inline constexpr std::uint64_t kCoarseMargin = 30 * std::uint64_t{kNanosPerSecond};

inline std::uint64_t saturated_add(std::uint64_t left, std::uint64_t right) {
  return left > UINT64_MAX - right ? UINT64_MAX : left + right;
}

inline bool is_before(const Moment& moment, std::uint64_t hard_end) {
  if (saturated_add(moment.coarse_wall, kCoarseMargin) < hard_end) [[likely]]
    return true;
  return static_cast<std::uint64_t>(wall_time_ns()) < hard_end;
}

// A confirmation from the future is not accepted: the clocks disagree.
inline bool is_young(std::uint64_t confirmed_at, const Moment& moment, std::uint32_t max_age_ms) {
  if (confirmed_at > moment.boot) return false;
  return max_age_ms == UINT32_MAX ||
         moment.boot - confirmed_at <= std::uint64_t{max_age_ms} * kNanosPerMilli;
}

inline bool in_force(const LeaseTerms& terms, std::uint64_t epoch, const Moment& moment,
                     std::uint32_t max_age_ms) {
  return terms.epoch == epoch && terms.lease_end > moment.boot &&
         is_young(terms.confirmed_at, moment, max_age_ms) && is_before(moment, terms.hard_end);
}

// A heartbeat may be slightly newer than our clock reading. One far in the future is not accepted.
inline bool is_beating(std::uint64_t heartbeat, std::uint64_t now) {
  if (heartbeat == 0) return false;
  return heartbeat > now ? heartbeat - now <= proto::kHeartbeatLimit
                         : now - heartbeat <= proto::kHeartbeatLimit;
}

inline std::uint32_t to_ms(std::uint64_t nanos) {
  const std::uint64_t milliseconds = nanos / kNanosPerMilli;
  return milliseconds > UINT32_MAX ? UINT32_MAX : static_cast<std::uint32_t>(milliseconds);
}

inline std::uint32_t age_ms(const LeaseTerms& terms, const Moment& moment) {
  return to_ms(moment.boot - terms.confirmed_at);
}

// The remaining time of a lease in force: the earlier of its two ends.
inline std::uint32_t ttl_ms(const LeaseTerms& terms, const Moment& moment) {
  const std::uint64_t lease = terms.lease_end - moment.boot;
  const std::uint64_t token =
      terms.hard_end > moment.coarse_wall ? terms.hard_end - moment.coarse_wall : 0;
  return to_ms(lease < token ? lease : token);
}

}  // namespace claimsd::client

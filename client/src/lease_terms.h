// lease_terms.h: what a lease says of itself, and whether that still holds. The one place that
// judges it, for leases out of the map and for the local table's copies alike. Pure; a value.
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

// The clocks at one lookup. Read after the lookup began, so that no lease is believed that had
// ended by then.
struct Moment {
  std::uint64_t boot = 0;
  std::uint64_t coarse_wall = 0;

  static Moment now() {
    return {static_cast<std::uint64_t>(boot_time_ns()),
            static_cast<std::uint64_t>(coarse_wall_time_ns())};
  }
};

// Near a token's own end the coarse clock is not asked: it may be late, by far less than this.
inline constexpr std::uint64_t kCoarseMargin = 30 * std::uint64_t{kNanosPerSecond};

inline std::uint64_t saturated_add(std::uint64_t left, std::uint64_t right) {
  return left > UINT64_MAX - right ? UINT64_MAX : left + right;
}

inline bool is_before(const Moment& moment, std::uint64_t hard_end) {
  if (saturated_add(moment.coarse_wall, kCoarseMargin) < hard_end) [[likely]]
    return true;
  return static_cast<std::uint64_t>(wall_time_ns()) < hard_end;
}

// A confirmation from the future is none: the clocks disagree.
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

// A heartbeat is written after our clock was read now and then; one from the far future is none.
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

// How long a lease in force may be relied on: whichever of its two ends comes first.
inline std::uint32_t ttl_ms(const LeaseTerms& terms, const Moment& moment) {
  const std::uint64_t lease = terms.lease_end - moment.boot;
  const std::uint64_t token =
      terms.hard_end > moment.coarse_wall ? terms.hard_end - moment.coarse_wall : 0;
  return to_ms(lease < token ? lease : token);
}

}  // namespace claimsd::client

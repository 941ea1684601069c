// deadline.h: clocks and deadlines of queries.
//
// Deadlines run on CLOCK_MONOTONIC, the one clock that condition variables, timerfd and SO_RCVTIMEO
// agree on. Leases and the map's heartbeat run on CLOCK_BOOTTIME, which counts suspends; a token's
// own end is on CLOCK_REALTIME. All are read through the vDSO: none is a system call (time(7)).
// Values, in ns. A Deadline with a Cancellation also passes when that is canceled.
#pragma once

#include <time.h>

#include <cstdint>

#include "client/src/cancellation.h"

namespace claimsd::client {

inline constexpr std::int64_t kNanosPerMilli = 1'000'000;
inline constexpr std::int64_t kNanosPerSecond = 1'000'000'000;

inline std::int64_t read_clock(clockid_t clock) {
  timespec now{};
  clock_gettime(clock, &now);
  return std::int64_t{now.tv_sec} * kNanosPerSecond + now.tv_nsec;
}

inline std::int64_t now_ns() {
  return read_clock(CLOCK_MONOTONIC);
}

inline std::int64_t boot_time_ns() {
  return read_clock(CLOCK_BOOTTIME);
}

inline std::int64_t wall_time_ns() {
  return read_clock(CLOCK_REALTIME);
}

// The time of the last tick, at a fifth of the cost. Late by a few milliseconds, or more if the
// core that keeps the time is busy.
inline std::int64_t coarse_wall_time_ns() {
  return read_clock(CLOCK_REALTIME_COARSE);
}

inline timespec to_timespec(std::int64_t nanos) {
  return {.tv_sec = static_cast<time_t>(nanos / kNanosPerSecond),
          .tv_nsec = static_cast<long>(nanos % kNanosPerSecond)};
}

struct Deadline {
  std::int64_t at_ns = 0;
  const Cancellation* cancellation = nullptr;

  bool is_canceled() const { return cancellation != nullptr && cancellation->is_canceled(); }

  static Deadline after_ms(std::uint32_t milliseconds) {
    return {now_ns() + std::int64_t{milliseconds} * kNanosPerMilli, nullptr};
  }

  // The length of the next wait. A wait that can be canceled is split into slices.
  std::uint32_t slice_ms(std::uint32_t remaining_ms) const {
    const bool is_cut = cancellation != nullptr && remaining_ms > Cancellation::kSliceMs;
    return is_cut ? Cancellation::kSliceMs : remaining_ms;
  }
  std::int64_t slice_end_ns() const {
    if (cancellation == nullptr) return at_ns;
    const std::int64_t end = now_ns() + Cancellation::kSliceMs * kNanosPerMilli;
    return end < at_ns ? end : at_ns;
  }

  // Rounded up, so that a new deadline returns its full timeout; 0 once it has passed or is canceled.
  std::uint32_t remaining_ms() const {
    if (is_canceled()) return 0;
    const std::int64_t left = at_ns - now_ns();
    if (left <= 0) return 0;
    return static_cast<std::uint32_t>((left + kNanosPerMilli - 1) / kNanosPerMilli);
  }
};

}  // namespace claimsd::client

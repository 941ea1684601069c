// deadline.h: how long a question may still take.
//
// On CLOCK_MONOTONIC, the one clock that condition variables, timerfd and SO_RCVTIMEO agree on;
// read through the vDSO. A value.
#pragma once

#include <time.h>

#include <cstdint>

namespace claimsd::client_impl {

inline constexpr std::int64_t kNanosPerMilli = 1'000'000;
inline constexpr std::int64_t kNanosPerSecond = 1'000'000'000;

inline std::int64_t now_ns() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return std::int64_t{now.tv_sec} * kNanosPerSecond + now.tv_nsec;
}

inline timespec to_timespec(std::int64_t nanos) {
  return {.tv_sec = static_cast<time_t>(nanos / kNanosPerSecond),
          .tv_nsec = static_cast<long>(nanos % kNanosPerSecond)};
}

struct Deadline {
  std::int64_t at_ns = 0;

  static Deadline after_ms(std::uint32_t milliseconds) {
    return {now_ns() + std::int64_t{milliseconds} * kNanosPerMilli};
  }

  // Rounded up, so that nothing ends early and a fresh deadline reads as the time-out it was made
  // of; 0 once it has passed.
  std::uint32_t left_ms() const {
    const std::int64_t left = at_ns - now_ns();
    if (left <= 0) return 0;
    return static_cast<std::uint32_t>((left + kNanosPerMilli - 1) / kNanosPerMilli);
  }
};

}  // namespace claimsd::client_impl

// clock.h: the two clocks, passed in wherever time matters, never looked up.
//
// BootTime (CLOCK_BOOTTIME) counts through suspend and never steps: lives, leases and deadlines.
// WallTime (CLOCK_REALTIME, Unix epoch) may step: what a token's `exp` and `iat` are compared with,
// and what people read. clock_gettime(2).
#pragma once

#include <chrono>
#include <cstdint>

namespace claimsd::daemon {

using Duration = std::chrono::nanoseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;

struct BootClock {
  using duration = Duration;
  using rep = duration::rep;
  using period = duration::period;
  using time_point = std::chrono::time_point<BootClock>;
  static constexpr bool is_steady = true;
};

struct WallClock {
  using duration = Duration;
  using rep = duration::rep;
  using period = duration::period;
  using time_point = std::chrono::time_point<WallClock>;
  static constexpr bool is_steady = false;
};

using BootTime = BootClock::time_point;
using WallTime = WallClock::time_point;

// Both clocks read once: a decision is made at one moment.
struct Now {
  BootTime boot;
  WallTime wall;
};

class Clock {
 public:
  virtual ~Clock() = default;
  virtual Now now() const = 0;
};

// The real one: two vDSO reads. Stateless, any thread.
class SystemClock final : public Clock {
 public:
  Now now() const override;
};

// Whole milliseconds, rounded down, clamped to what a u32 of the wire holds; negative becomes 0.
std::uint32_t to_wire_ms(Duration duration);

}  // namespace claimsd::daemon

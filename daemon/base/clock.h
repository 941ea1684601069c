// clock.h: the two clocks, passed in wherever time matters.
//
// BootTime (CLOCK_BOOTTIME) counts through suspend and never steps: for TTLs, leases and deadlines.
// WallTime (CLOCK_REALTIME, Unix epoch) may step: for a token's `exp` and `iat` and for display.
// Nanoseconds; clock_gettime(2).
#pragma once

#include <chrono>
#include <cstdint>

namespace claimsd {

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

// Both clocks, read once per decision.
struct Now {
  BootTime boot;
  WallTime wall;

  bool operator==(const Now&) const = default;
};

class Clock {
 public:
  virtual ~Clock() = default;
  virtual Now now() const = 0;
};

// The real clocks: two vDSO reads. Stateless, any thread.
class SystemClock final : public Clock {
 public:
  Now now() const override;
};

// Whole milliseconds for a u32 on the wire: rounded down and clamped; negative becomes 0.
std::uint32_t to_wire_ms(Duration duration);

}  // namespace claimsd

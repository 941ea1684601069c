// limits.h: the times of the fleet.
#pragma once

#include <algorithm>
#include <cstddef>

#include "daemon/base/clock.h"

namespace claimsd::fleet {

inline constexpr Duration kTick = milliseconds(50);  // how often to call Replica::tick()
inline constexpr Duration kPulseInterval = seconds(1);
inline constexpr Duration kPulseLimit = milliseconds(2'500);  // a host is current this long
inline constexpr Duration kClockTolerance = seconds(2);       // of a pulse's time
// A host that was current this long counts as one that was, even after a failover has lost its row:
// Redis accepts writes only while a replica lags less (min-replicas-max-lag).
inline constexpr Duration kSettled = seconds(10);
// When all hosts have to send, each waits for a random part of this.
inline constexpr Duration kWindowPerHost = milliseconds(4);
inline constexpr Duration kRowInterval = seconds(5);  // how often a host writes its row
// How often it reads the rows of all hosts.
constexpr Duration rows_interval(std::size_t hosts) {
  return std::max<Duration>(seconds(30), milliseconds(500) * static_cast<std::int64_t>(hosts));
}
inline constexpr Duration kHorizon = std::chrono::minutes(2);  // pulses cover what ends later

}  // namespace claimsd::fleet

// fleet_clock.h: this host's estimate of the time of Redis, the one clock that all hosts share.
//
// Extrapolated with the boot clock, which does not step. Value; loop thread.
#pragma once

#include <optional>

#include "daemon/base/clock.h"

namespace claimsd::fleet {

class FleetClock {
 public:
  void set(WallTime redis_time, const Now& now) {
    offset_ = redis_time.time_since_epoch() - now.boot.time_since_epoch();
  }
  // This host's wall clock as long as Redis has not been asked.
  WallTime time(const Now& now) const {
    return offset_ ? WallTime(now.boot.time_since_epoch() + *offset_) : now.wall;
  }
  // The boot time at which it was, or will be, that time.
  BootTime boot_at(WallTime time, const Now& now) const {
    return now.boot + (time - this->time(now));
  }
  // How far the wall clock is ahead of Redis.
  std::optional<Duration> wall_ahead(const Now& now) const {
    if (!offset_) return std::nullopt;
    return now.wall - time(now);
  }

 private:
  std::optional<Duration> offset_;
};

}  // namespace claimsd::fleet

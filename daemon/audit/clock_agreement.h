// clock_agreement.h: whether the wall clock can be believed. It may be set, by mistake or on
// purpose; the boot clock cannot. While both advance alike, the wall clock was not set. Pure; not
// thread-safe: owned by AuditLog.
#pragma once

#include <optional>

#include "daemon/base/clock.h"

namespace claimsd::audit {

class ClockAgreement {
 public:
  // Corrections by NTP are smaller; steps add up.
  static constexpr Duration kTolerance = seconds(60);
  // How long both clocks must have advanced alike, also after a start: a host may boot with a wrong
  // clock and set it only later.
  static constexpr Duration kProof = std::chrono::hours(6);

  explicit ClockAgreement(const Now& start) : offset_(offset_of(start)), since_(start.boot) {}

  // Call often. Returns by how much the wall clock was set, once for each time that it was.
  std::optional<Duration> observe(const Now& now) {
    const Duration jump = offset_of(now) - offset_;
    if (jump <= kTolerance && jump >= -kTolerance) return std::nullopt;
    offset_ += jump;
    since_ = now.boot;
    jumped_ = now.boot;
    return jump;
  }

  bool proven(BootTime now) const { return now - since_ >= kProof; }
  std::optional<BootTime> jumped_at() const { return jumped_; }

 private:
  static Duration offset_of(const Now& now) {
    return now.wall.time_since_epoch() - now.boot.time_since_epoch();
  }

  Duration offset_;
  BootTime since_;
  std::optional<BootTime> jumped_;
};

}  // namespace claimsd::audit

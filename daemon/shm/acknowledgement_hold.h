// acknowledgement_hold.h: keeps back "it is done" until nobody can still believe what an earlier
// daemon, which ended uncleanly, had shown. Loop thread.
#pragma once

#include <functional>
#include <vector>

#include "daemon/base/clock.h"
#include "daemon/loop/timer.h"

namespace claimsd::daemon {

class AcknowledgementHold {
 public:
  // Nothing is kept back once `until` has come.
  AcknowledgementHold(Loop& loop, const Clock& clock, BootTime until)
      : clock_(clock), until_(until), timer_(loop, [this] { release(); }) {}

  // Runs `acknowledge` now, or when the time has come.
  void after(std::function<void()> acknowledge) {
    const BootTime now = clock_.now().boot;
    if (until_ <= now) return acknowledge();
    held_.push_back(std::move(acknowledge));
    if (!timer_.active()) timer_.start(until_ - now);
  }
  bool idle() const { return held_.empty(); }

 private:
  void release() {
    for (const auto& acknowledge : std::exchange(held_, {})) acknowledge();
  }

  const Clock& clock_;
  BootTime until_;
  Timer timer_;
  std::vector<std::function<void()>> held_;
};

}  // namespace claimsd::daemon

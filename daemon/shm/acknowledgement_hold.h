// acknowledgement_hold.h: delays acknowledgements of orders until the map of a previous daemon that
// ended uncleanly can no longer be trusted by any worker. Owned by the composition root; loop
// thread.
#pragma once

#include <functional>
#include <vector>

#include "daemon/base/clock.h"
#include "daemon/loop/timer.h"

namespace claimsd::shm {

class AcknowledgementHold {
 public:
  // From `until` on, nothing is delayed.
  AcknowledgementHold(loop::Loop& loop, const Clock& clock, BootTime until)
      : clock_(clock), until_(until), timer_(loop, [this] { release(); }) {}

  // Runs `acknowledge` now, or when `until` is reached.
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
  loop::Timer timer_;
  std::vector<std::function<void()>> held_;
};

}  // namespace claimsd::shm

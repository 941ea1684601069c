// kernel_timer.h: a Timer that the kernel keeps (timerfd_create(2), CLOCK_BOOTTIME: it also counts
// while the machine sleeps). Rules of lifetime and thread: loop.h.
//
// For timers that run all the time: while only these run, the loop waits without a time-out of its
// own, which saves arming and cancelling one in the kernel at every turn (half a microsecond of
// every question). Starting one costs a system call; what is started and stopped all the time is
// better off as a Timer.
#pragma once

#include <functional>
#include <memory>

#include "daemon/loop/loop.h"

namespace claimsd::daemon {

class KernelTimer {
 public:
  using Callback = std::function<void()>;

  // Fails when no descriptor is left.
  static Result<KernelTimer> create(Loop& loop, Callback callback);

  // Fires `delay` from now, then every `repeat` unless that is 0. Starting again replaces what was
  // set.
  void start(Duration delay, Duration repeat = {});
  void stop();
  bool active() const;

 private:
  struct Block;
  struct Close {
    void operator()(Block* block) const;
  };
  explicit KernelTimer(std::unique_ptr<Block, Close> block);
  std::unique_ptr<Block, Close> block_;
};

}  // namespace claimsd::daemon

// timer_fd.h: a timer backed by timerfd_create(2) with CLOCK_BOOTTIME, so it also counts while
// the machine sleeps. Lifetime and threads: loop.h.
//
// For timers that are always running: if only these run, the loop waits without a timeout, which
// saves arming and canceling a kernel timer in every iteration (0.5 µs per query). Starting one
// costs a system call, so a timer that is started and stopped often should be a Timer.
#pragma once

#include <functional>
#include <memory>

#include "daemon/loop/loop.h"

namespace claimsd::loop {

class TimerFd {
 public:
  using Callback = std::function<void()>;

  // Fails when no descriptor is left.
  static Result<TimerFd> create(Loop& loop, Callback callback);

  // Fires after `delay`, then every `repeat` unless that is 0. Starting it again replaces the
  // previous setting.
  void start(Duration delay, Duration repeat = {});
  void stop();
  bool active() const;

 private:
  struct Block;
  struct Close {
    void operator()(Block* block) const;
  };
  explicit TimerFd(std::unique_ptr<Block, Close> block);
  std::unique_ptr<Block, Close> block_;
};

}  // namespace claimsd::loop

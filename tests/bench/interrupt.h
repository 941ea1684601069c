// interrupt.h: makes Ctrl-C end a run between two blocks, so that servers are stopped and files
// removed as usual.
//
// While an object exists, SIGINT and SIGTERM are blocked and can be polled. No handler, no global.
// Single-threaded.
#pragma once

#include <signal.h>

#include <ctime>

namespace claimsd::bench {

class Interrupt {
 public:
  Interrupt() {
    ::sigemptyset(&signals_);
    ::sigaddset(&signals_, SIGINT);
    ::sigaddset(&signals_, SIGTERM);
    ::sigprocmask(SIG_BLOCK, &signals_, &before_);
  }
  ~Interrupt() { ::sigprocmask(SIG_SETMASK, &before_, nullptr); }
  Interrupt(const Interrupt&) = delete;
  Interrupt& operator=(const Interrupt&) = delete;

  bool requested() { return requested_within({}); }
  // Waits for this long.
  bool requested_within(const timespec& time) {
    requested_ = ::sigtimedwait(&signals_, nullptr, &time) > 0 || requested_;
    return requested_;
  }

 private:
  sigset_t signals_{};
  sigset_t before_{};
  bool requested_ = false;
};

}  // namespace claimsd::bench

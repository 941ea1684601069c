// wait.h: waits for a descriptor, until a deadline or until the thread is to stop. Every wait of the
// bus thread is one of these. A value.
#pragma once

#include <poll.h>

#include <cstdint>
#include <span>

#include "daemon/base/clock.h"
#include "daemon/base/result.h"

namespace claimsd::redis {

class Wait {
 public:
  // `clock` and the descriptor must outlive this object. While `stop_fd` is readable, each wait
  // fails immediately; -1: none.
  explicit Wait(const Clock& clock, int stop_fd = -1) : clock_(&clock), stop_fd_(stop_fd) {}

  // Waits for POLLIN or POLLOUT. The error says why it did not come.
  Status until(int fd, short events, BootTime deadline) const;
  // Waits for any of them. False: the deadline passed, or the thread is to stop.
  bool any(std::span<pollfd> fds, BootTime deadline) const;
  bool stopping() const;

  BootTime now() const { return clock_->now().boot; }
  const Clock& clock() const { return *clock_; }

 private:
  const Clock* clock_;
  int stop_fd_;
};

}  // namespace claimsd::redis

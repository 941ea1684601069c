#include "daemon/redis/wait.h"

#include <errno.h>

#include <algorithm>
#include <limits>
#include <vector>

namespace claimsd::redis {
namespace {

int whole_milliseconds(Duration left) {
  const auto rounded = std::chrono::ceil<milliseconds>(std::max(left, Duration(0))).count();
  return static_cast<int>(std::min<std::int64_t>(rounded, std::numeric_limits<int>::max()));
}

}  // namespace

bool Wait::any(std::span<pollfd> fds, BootTime deadline) const {
  std::vector<pollfd> all(fds.begin(), fds.end());
  all.push_back({.fd = stop_fd_, .events = POLLIN, .revents = 0});
  for (;;) {
    const int ready = poll(all.data(), all.size(), whole_milliseconds(deadline - now()));
    if (ready < 0 && errno == EINTR) continue;
    if (ready <= 0 || all.back().revents != 0) return false;
    std::copy_n(all.begin(), fds.size(), fds.begin());
    return true;
  }
}

bool Wait::stopping() const {
  pollfd stop{.fd = stop_fd_, .events = POLLIN, .revents = 0};
  return stop_fd_ >= 0 && poll(&stop, 1, 0) > 0;
}

Status Wait::until(int fd, short events, BootTime deadline) const {
  pollfd one{.fd = fd, .events = events, .revents = 0};
  if (any({&one, 1}, deadline)) return {};
  return failure(stopping() ? "the daemon stops" : "timed out");
}

}  // namespace claimsd::redis

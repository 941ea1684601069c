// stopped_daemon.h: a socket with a full backlog, like that of a daemon stopped by SIGSTOP.
#pragma once

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <stdexcept>
#include <string>
#include <vector>

namespace claimsd::testing {

class StoppedDaemon {
 public:
  explicit StoppedDaemon(const std::string& path) {
    sockaddr_un address{.sun_family = AF_UNIX, .sun_path = {}};
    path.copy(address.sun_path, sizeof address.sun_path - 1);
    const auto* const name = reinterpret_cast<const sockaddr*>(&address);
    listener_ = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (bind(listener_, name, sizeof address) != 0 || listen(listener_, 0) != 0) {
      throw std::runtime_error("cannot listen on " + path);
    }
    for (int fd = 0; fd >= 0;) {
      fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
      waiting_.push_back(fd);
      if (connect(fd, name, sizeof address) != 0) break;
    }
  }
  StoppedDaemon(const StoppedDaemon&) = delete;
  StoppedDaemon& operator=(const StoppedDaemon&) = delete;
  ~StoppedDaemon() {
    for (const int fd : waiting_) close(fd);
    close(listener_);
  }

 private:
  int listener_ = -1;
  std::vector<int> waiting_;
};

}  // namespace claimsd::testing

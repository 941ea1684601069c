// service_manager.h: what systemd and its kin offer a service: sockets that are already open, and a
// place to say how it is.
//
// sd_listen_fds(3) and sd_notify(3) as they are specified, without libsystemd. Outside of a service
// manager everything here does nothing.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/base/clock.h"
#include "daemon/base/fd.h"

namespace claimsd::daemon {

struct InheritedSocket {
  std::string name;  // FileDescriptorName= of the socket unit
  Fd fd;
};

// Takes over the sockets passed to this process and removes their variables from the environment.
// Call once, early, on the main thread.
std::vector<InheritedSocket> take_inherited_sockets();

class ServiceManager {
 public:
  // Reads NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID and removes them from the environment. Main
  // thread, early.
  static ServiceManager from_environment();

  bool present() const { return !socket_path_.empty(); }

  // How long it waits for a "WATCHDOG=1" before it takes this process for dead; none: it does not.
  std::optional<Duration> watchdog() const { return watchdog_; }

  // Sends "READY=1", "STATUS=...". Best effort: nobody may be listening.
  void notify(std::string_view state) const;

 private:
  std::string socket_path_;  // "" when nobody listens; a leading '@' names an abstract socket
  std::optional<Duration> watchdog_;
};

}  // namespace claimsd::daemon

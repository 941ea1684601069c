// service_manager.h: systemd's interface to a service: inherited sockets, status notification,
// watchdog. Main thread unless stated.
//
// Implements sd_listen_fds(3) and sd_notify(3) without libsystemd. Without a service manager
// everything here does nothing.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/base/clock.h"
#include "daemon/base/fd.h"

namespace claimsd::host {

struct InheritedSocket {
  std::string name;  // FileDescriptorName= of the socket unit
  Fd fd;
};

// Takes over the sockets passed to this process and removes their variables from the environment.
// Call once, early, on the main thread.
std::vector<InheritedSocket> take_inherited_sockets();

class ServiceManager {
 public:
  // Reads NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID and removes them from the environment. Call
  // early, on the main thread.
  static ServiceManager from_environment();

  bool present() const { return !socket_path_.empty(); }

  // How long it waits for "WATCHDOG=1" before it restarts the process; none: no watchdog.
  std::optional<Duration> watchdog() const { return watchdog_; }

  // Sends "READY=1", "STATUS=..." and so on. Best effort: errors are ignored.
  void notify(std::string_view state) const { notify_with(state, -1); }
  // The same, and passes it a descriptor.
  void notify_with(std::string_view state, int descriptor) const;

 private:
  std::string socket_path_;  // "" without a manager; a leading '@' names an abstract socket
  std::optional<Duration> watchdog_;
};

}  // namespace claimsd::host

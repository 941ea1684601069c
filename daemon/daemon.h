// daemon.h: the composition root: creates all components, connects them, starts and stops them.
// Contains no policy. real_daemon.h lists the components.
//
// Call create() and run() on the main thread, which becomes the loop thread. run() returns after a
// stop signal, once open queries are answered.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include "daemon/base/result.h"
#include "daemon/config/load.h"
#include "daemon/host/service_manager.h"
#include "daemon/log/log.h"

namespace claimsd::daemon {

struct DaemonOptions {
  config::LoadedConfig config;
  std::string config_file;
  std::string credentials_directory;           // systemd.exec(5), CREDENTIALS_DIRECTORY; "": none
  std::vector<host::InheritedSocket> sockets;  // named "claims" and "admin"; others are closed
  std::uint64_t descriptors = 0;               // file descriptors that this process may have
  std::string accept_revocations;  // use a set of revocations that is older than it was; "": never
  host::ServiceManager manager;
  std::function<void(const config::LogConfig&)> set_log;  // applies log level and format
};

class Daemon {
 public:
  // `log` must outlive the daemon.
  static Result<std::unique_ptr<Daemon>> create(DaemonOptions options, Log& log);
  virtual ~Daemon() = default;
  virtual void run() = 0;
};

}  // namespace claimsd::daemon

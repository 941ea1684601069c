// daemon.h: the composition root: makes every part, wires them, starts and stops them. Holds no
// policy of its own.
//
// create() and run() on the main thread, which is then the loop thread. run() returns when the
// daemon was told to stop and has answered what was in flight.
#pragma once

#include <functional>
#include <memory>

#include "daemon/base/result.h"
#include "daemon/config/load.h"
#include "daemon/host/service_manager.h"
#include "daemon/log/log.h"

namespace claimsd::daemon {

struct DaemonOptions {
  LoadedConfig config;
  std::string config_file;
  std::string credentials_directory;     // systemd.exec(5), CREDENTIALS_DIRECTORY; "": none
  std::vector<InheritedSocket> sockets;  // named "claims" and "admin"; others are closed
  ServiceManager manager;
  std::function<void(const LogConfig&)>
      set_log;  // how much is logged from now on, and in what form
};

class Daemon {
 public:
  // `log` outlives it.
  static Result<std::unique_ptr<Daemon>> create(DaemonOptions options, Log& log);
  virtual ~Daemon() = default;
  virtual void run() = 0;
};

}  // namespace claimsd::daemon

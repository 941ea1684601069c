// unconfigured.h: the daemon while no Auth API is configured, as after the installation. It answers
// every query and every request with the option to set, until a reload finds that option. Part of the
// composition root; main thread, with a loop of its own that has ended when it returns.
//
// If it exited instead, the service manager would start it again for each query, and close its sockets
// in the end.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "daemon/base/result.h"
#include "daemon/config/load.h"
#include "daemon/host/service_manager.h"
#include "daemon/log/log.h"

namespace claimsd::daemon {

struct UnconfiguredOptions {
  std::string config_file;
  std::string missing;                                // the option to set (config::missing_url())
  const std::vector<host::InheritedSocket>& sockets;  // listening; they stay open
  const host::ServiceManager& manager;
};

// Returns the configuration that a reload found, by SIGHUP or POST /v1/reload. None: a stop signal
// came first.
Result<std::optional<config::LoadedConfig>> wait_for_configuration(UnconfiguredOptions options,
                                                                   Log& log);

}  // namespace claimsd::daemon

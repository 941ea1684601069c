// listeners.h: opens the daemon's sockets: those that systemd passed, or the configured paths. Part of
// the composition root. Loop thread, at start.
#pragma once

#include <memory>
#include <vector>

#include "daemon/admin/http_server.h"
#include "daemon/config/config.h"
#include "daemon/front_door/front_door.h"
#include "daemon/host/sockets.h"
#include "daemon/server/server.h"

namespace claimsd::daemon {

using InheritedSockets = std::vector<host::InheritedSocket>;

// The claims socket, on which `server` then accepts.
Status open_claims_socket(const config::DaemonConfig& daemon, InheritedSockets& inherited,
                          server::Server& server);

struct AdminListener {
  host::SocketFile file;  // empty for a socket that systemd holds
  std::unique_ptr<admin::HttpServer> server;
};
Result<AdminListener> open_admin_socket(const config::DaemonConfig& daemon,
                                        InheritedSockets& inherited, loop::Loop& loop,
                                        http::Handler handler);

// HTTP on loopback for Prometheus; null if not configured.
Result<std::unique_ptr<admin::HttpServer>> open_scraped(const config::DaemonConfig& daemon,
                                                        loop::Loop& loop, http::Handler handler);

struct FrontDoorListener {
  host::SocketFile file;
  std::unique_ptr<front_door::FrontDoor> door;  // null: off
};
// The HTTP sockets that systemd passes, and the configured path if no Unix socket is among them. A
// loopback port can only be passed: one that the daemon bound itself could be taken by another user
// while it restarts. A port that other hosts can reach is an error.
Result<FrontDoorListener> open_front_door(const config::Config& config, InheritedSockets& inherited,
                                          loop::Loop& loop);

}  // namespace claimsd::daemon

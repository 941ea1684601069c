// daemon_status.h: assembles the daemon's status from its components. Part of the composition root.
// Loop thread; read only.
#pragma once

#include <string>

#include "daemon/admin/status.h"
#include "daemon/admin/upstream_monitor.h"
#include "daemon/audit/recorder.h"
#include "daemon/claims/service.h"
#include "daemon/config/config.h"
#include "daemon/fleet_member.h"
#include "daemon/front_door/front_door.h"
#include "daemon/host/socket_paths.h"
#include "daemon/server/server.h"
#include "daemon/shm/lease_map.h"
#include "daemon/store/claims_cache.h"
#include "daemon/store/revocation_writer.h"

namespace claimsd::daemon {

struct StatusSources {
  const config::Config& config;
  const std::string& config_file;
  Now started;
  Now now;
  bool stopping = false;
  const server::Server& server;
  const front_door::FrontDoor* front_door = nullptr;  // null: off
  const claims::ClaimsService& service;
  const store::LmdbClaimsCache& cache;
  const shm::LeaseMap& lease_map;
  const admin::UpstreamMonitor& monitor;
  const std::vector<host::SocketPath>& sockets;
  store::RevocationBacklog revocations;
  const audit::Recorder* audit = nullptr;  // null: no audit log is kept
  const FleetMember* fleet = nullptr;      // null: this host is in no fleet
};

admin::DaemonStatus gather_status(const StatusSources& from);

}  // namespace claimsd::daemon

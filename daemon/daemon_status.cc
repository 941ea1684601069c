#include "daemon/daemon_status.h"

#include <unistd.h>

#include "daemon/version.h"
#include "daemon/wiring.h"

namespace claimsd::daemon {
namespace {

admin::AuditStatus audit_status(const StatusSources& from) {
  const config::AuditConfig& audit = from.config.audit;
  admin::AuditStatus status;
  if (from.audit != nullptr) status.log = from.audit->stats();
  status.directory = audit.directory;
  status.max_bytes = audit.max_bytes;
  status.level = name_of(audit_level_of(audit));
  status.denies = !audit.allow_when_full;
  status.waiting = from.service.pending_answers();
  status.max_waiting = audit.max_waiting;
  return status;
}

}  // namespace

admin::DaemonStatus gather_status(const StatusSources& from) {
  const config::Config& config = from.config;
  const claims::ClaimsService& service = from.service;
  admin::DaemonStatus status;
  status.version = kVersion;
  status.pid = getpid();
  status.started = from.started.wall;
  status.now_boot = from.now.boot;
  status.longest_answer = config.cache.max_ttl + config.cache.stale_if_error;
  status.now = from.now.wall;
  status.uptime = from.now.boot - from.started.boot;
  status.claims_socket = config.daemon.socket;
  status.config_file = from.config_file;
  status.stopping = from.stopping;
  for (const host::SocketPath& one : from.sockets)
    status.sockets.push_back({.name = one.name,
                              .path = one.path,
                              .lost = one.lost,
                              .fix = one.lost ? host::fix_for_lost(one) : ""});
  status.connections = from.server.connections();
  status.max_connections = config.daemon.max_connections;
  status.waiting = service.flights().waiting();
  status.max_waiting = config.limits.max_waiters;
  status.in_flight = service.flights().in_flight();
  status.pending = service.flights().pending();
  status.entries = from.cache.entries();
  status.max_entries = config.cache.max_entries;
  status.negative_entries = service.negative_entries();
  status.leases = from.lease_map.status();
  status.revocations = service.revocation_rules();
  status.max_revocations = config.revocations.max_entries;
  status.stored_revocations = service.revocations().stored();
  status.unwritten_revocations = from.revocations.changes;
  status.unwritten_revocations_age = from.revocations.age;
  status.revocation_error = from.revocations.error;
  status.revocation_directory = config.revocations.directory;
  status.upstreams = from.monitor.upstreams();
  for (std::size_t at = 0; at < status.upstreams.size(); ++at) {
    const auto id = static_cast<claims::UpstreamId>(at);
    status.upstreams[at].backoff = service.backoff(id);
    status.upstreams[at].pending = service.flights().pending(id);
    status.upstreams[at].max_pending = config.limits.max_pending;
  }
  status.audit = audit_status(from);
  status.counters = service.counters();
  status.lookups = service.lookups();
  status.server_counters = from.server.counters();
  status.refusals = from.server.refusals();
  status.max_connections_per_uid = config.daemon.max_connections_per_uid;
  status.connects_per_uid = config.daemon.connects_per_uid;
  if (from.front_door != nullptr) {
    status.http = {.on = true,
                   .connections = from.front_door->connections(),
                   .max_connections = config.http.max_connections,
                   .counters = from.front_door->counters()};
  }
  if (from.fleet != nullptr) status.fleet = from.fleet->status();
  status.cache_tampered = from.cache.counters().tampered;
  status.cache_failures = from.cache.counters().failed;
  status.cache_dropped = from.cache.counters().dropped;
  status.cache_directory = config.cache.directory;
  if (const auto trouble = from.cache.counters().error_at)
    status.cache_error = from.now.boot - *trouble;
  status.cache_disk_full = from.cache.counters().disk_full;
  if (const auto full = from.cache.counters().disk_full_at)
    status.cache_disk_full_ago = from.now.boot - *full;
  return status;
}

}  // namespace claimsd::daemon

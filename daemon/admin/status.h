// status.h: the daemon's status as plain data. The composition root fills it, admin/ renders it,
// claimsctl shows it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "daemon/audit/audit_stats.h"
#include "daemon/base/clock.h"
#include "daemon/claims/counters.h"
#include "daemon/claims/lookup_statistics.h"
#include "daemon/claims/upstream/call_statistics.h"
#include "daemon/fleet/status.h"
#include "daemon/front_door/counters.h"
#include "daemon/server/refusals.h"
#include "daemon/server/server_counters.h"
#include "daemon/shm/lease_status.h"

namespace claimsd::admin {

// Certificate files, which are read again when they change.
struct CertificateStatus {
  std::uint64_t reloaded = 0;          // changes that took effect
  std::uint64_t refused = 0;           // changes that were unusable
  std::string error;                   // why the current files are not in effect; "": they are
  std::optional<WallTime> client_end;  // expiry of the client certificate; none: there is none
};

struct RoleClaimStatus {
  std::string name;         // as configured
  std::uint64_t found = 0;  // documents that had it
};

// Claims documents of 200 responses.
struct DocumentStatus {
  std::uint64_t seen = 0;        // that confirmed a token
  std::uint64_t unusable = 0;    // a member or a limit made the answer unavailable
  std::string unusable_detail;   // of the last one: the member and what is wrong with it
  WallTime unusable_at{};        // of the last one
  std::uint64_t truncated = 0;   // larger than max_claims_bytes
  std::uint64_t odd_emails = 0;  // the email claim was no email address
  std::vector<RoleClaimStatus> role_claims;
};

struct UpstreamStatus {
  std::string name;
  std::string url;
  bool is_default = false;
  std::uint64_t requests = 0;
  std::uint64_t failures = 0;
  std::uint64_t consecutive_failures = 0;          // 0: healthy
  std::string last_failure;                        // reason name and detail; "" if there was none
  proto::Reason last_reason = proto::Reason::kOk;  // of the latest request
  std::uint64_t uncacheable = 0;                   // confirmations that forbade caching
  std::uint64_t consecutive_uncacheable = 0;       // since the last one that allowed it
  Duration last_latency{};
  std::uint64_t pending = 0;  // requests waiting to be sent
  std::uint64_t max_pending = 0;
  Duration backoff{};  // remaining backoff after failures; 0: in use
  claims::CallStatistics calls;
  CertificateStatus certificates;
  std::optional<WallTime> server_certificate_end;  // none: no TLS handshake so far
  DocumentStatus documents;
};

struct AuditStatus {
  audit::Stats log;
  std::string directory;
  std::uint64_t max_bytes = 0;  // 0: no limit
  std::string level;            // which events are recorded
  bool denies = true;           // do not answer an event that cannot be recorded
  std::uint64_t waiting = 0;    // answers held until their record is durable
  std::uint64_t max_waiting = 0;
};

// This host as a member of its fleet.
struct FleetStatus {
  bool on = false;
  std::string name;       // of the fleet
  std::string host_name;  // of this host, for the others
  std::string host_file;  // with this host's identity
  bool serves_when_lost = true;
  fleet::FleetStatus replica;
  // The connection to Redis.
  bool connected = false;
  std::string server;       // the last one: "redis-1:6379"
  std::string user;         // "": the default user
  std::string error;        // why it is not connected; "": it is, or no attempt has ended
  std::string write_error;  // the last refused write; "": the last ones succeeded
  std::string excess;       // what the user may do too much; "": nothing
  std::uint64_t connects = 0;
  std::uint64_t dropped = 0;  // commands for which there was no room
};

struct HttpStatus {
  bool on = false;
  std::uint64_t connections = 0;
  std::uint64_t max_connections = 0;  // on each listening socket
  front_door::Counters counters;
};

// The file through which clients reach a listening socket.
struct SocketStatus {
  std::string name;  // "claims", "admin", "http"
  std::string path;
  bool lost = false;  // the path no longer leads to the socket
  std::string fix;    // the command that restores it
};

struct DaemonStatus {
  std::string version;
  std::int64_t pid = 0;
  WallTime started{};
  WallTime now{};
  BootTime now_boot{};
  Duration uptime{};
  Duration longest_answer{};  // how long a cached answer may be used without the Auth API
  std::string claims_socket;
  std::string config_file;
  bool stopping = false;
  std::vector<SocketStatus> sockets;
  std::uint64_t connections = 0;
  std::uint64_t max_connections = 0;
  std::uint64_t max_waiting = 0;
  std::uint64_t waiting = 0;    // queries waiting for an Auth API
  std::uint64_t in_flight = 0;  // requests sent to an Auth API
  std::uint64_t pending = 0;    // requests waiting to be sent
  std::uint64_t entries = 0;
  std::uint64_t max_entries = 0;
  std::uint64_t negative_entries = 0;
  shm::LeaseStatus leases;
  std::uint64_t revocations = 0;         // rules in effect
  std::uint64_t stored_revocations = 0;  // rules that count against the maximum
  std::uint64_t max_revocations = 0;
  std::uint64_t unwritten_revocations = 0;  // actions in effect, but not on disk
  Duration unwritten_revocations_age{};     // of the oldest of them
  std::string revocation_error;             // why the last write failed; "": it did not
  std::string revocation_directory;
  std::vector<UpstreamStatus> upstreams;
  AuditStatus audit;
  claims::Counters counters;
  claims::LookupStatistics lookups;
  server::Counters server_counters;
  server::Refusals refusals;
  std::uint32_t max_connections_per_uid = 0;
  std::uint32_t connects_per_uid = 0;
  HttpStatus http;
  FleetStatus fleet;
  // Errors of the claims cache.
  std::uint64_t cache_tampered = 0;   // entries that failed authentication and were erased
  std::uint64_t cache_failures = 0;   // operations that failed
  std::uint64_t cache_dropped = 0;    // times that the whole cache was dropped
  std::uint64_t cache_disk_full = 0;  // writes for which its file system had no room
  std::string cache_directory;
  std::optional<Duration> cache_error;  // time since it last failed or was dropped; none: never
  std::optional<Duration>
      cache_disk_full_ago;  // time since the last such write; none: there is room
};

}  // namespace claimsd::admin

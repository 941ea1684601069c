// status.h: what the daemon says of itself, as plain data. The composition root fills it; admin/
// renders it; claimsctl shows it.
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
#include "daemon/server/server_counters.h"
#include "daemon/shm/lease_status.h"

namespace claimsd::daemon {

// Certificates in files, which are read again when they change.
struct CertificateStatus {
  std::uint64_t taken = 0;    // changes that are in effect
  std::uint64_t refused = 0;  // changes that could not be
  std::string trouble;        // why the files, as they are, are not in effect; "": they are
  std::optional<WallTime> client_end;  // of the client certificate in effect; none: there is none
};

struct UpstreamStatus {
  std::string name;
  std::string url;
  bool is_default = false;
  std::uint64_t requests = 0;
  std::uint64_t failures = 0;
  std::uint64_t consecutive_failures = 0;  // 0: well
  std::string last_failure;                // reason name and detail; "" if there was none
  Duration last_latency{};
  std::uint64_t pending = 0;  // requests waiting for their turn
  std::uint64_t max_pending = 0;
  Duration left_alone{};  // how much longer it is, since it fails; 0: it is asked
  CallStatistics calls;
  CertificateStatus certificates;
};

struct AuditStatus {
  AuditStats log;
  std::string directory;
  std::string level;          // which events are recorded
  bool denies = true;         // what cannot be recorded; else it is answered and counted
  std::uint64_t waiting = 0;  // answers held until their record is on disk
  std::uint64_t max_waiting = 0;
};

struct DaemonStatus {
  std::string version;
  std::int64_t pid = 0;
  WallTime started{};
  WallTime now{};
  Duration uptime{};
  std::string claims_socket;
  std::string config_file;
  bool stopping = false;
  std::uint64_t connections = 0;
  std::uint64_t max_connections = 0;
  std::uint64_t max_waiting = 0;
  std::uint64_t waiting = 0;    // questions waiting for an Auth API
  std::uint64_t in_flight = 0;  // requests on their way to an Auth API
  std::uint64_t pending = 0;    // requests waiting for their turn
  std::uint64_t entries = 0;
  std::uint64_t max_entries = 0;
  std::uint64_t negative_entries = 0;
  std::uint64_t unwritten_entries = 0;  // of `entries`; a killed daemon forgets them
  LeaseStatus leases;
  std::uint64_t revocations = 0;  // rules in effect
  std::uint64_t max_revocations = 0;
  std::vector<UpstreamStatus> upstreams;
  AuditStatus audit;
  Counters counters;
  LookupStatistics lookups;
  ServerCounters server_counters;
  // Trouble of the claims cache.
  std::uint64_t cache_tampered = 0;  // entries that did not open, and were erased
  std::uint64_t cache_failures = 0;  // operations that failed
  std::uint64_t cache_dropped = 0;   // times that everything had to be dropped
  std::string cache_directory;
  std::optional<Duration> cache_trouble;  // so long ago it last failed or was dropped; none: never
  std::uint64_t cache_lost = 0;           // entries acknowledged that could not be written
};

}  // namespace claimsd::daemon

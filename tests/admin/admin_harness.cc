#include "tests/admin/admin_harness.h"

namespace claimsd::admin {

DaemonStatus sample_status() {
  DaemonStatus status;
  status.version = "0.2.0";
  status.pid = 4711;
  status.started = WallTime(seconds(1'700'000'000));
  status.uptime = milliseconds(90'500);
  status.claims_socket = "/run/claimsd/claims.sock";
  status.sockets = {
      {.name = "claims", .path = "/run/claimsd/claims.sock", .lost = false, .fix = ""}};
  status.config_file = "/etc/claimsd/claimsd.toml";
  status.connections = 12;
  status.max_connections = 1024;
  status.waiting = 3;
  status.in_flight = 2;
  status.pending = 5;
  status.entries = 812;
  status.max_entries = 100'000;
  status.negative_entries = 7;
  status.leases.slots = 16'384;
  status.leases.used = 42;
  status.leases.epoch = 6;
  status.revocations = 9;
  status.max_revocations = 50'000;
  UpstreamStatus upstream;
  upstream.name = "main";
  upstream.url = "https://auth.example.com";
  upstream.is_default = true;
  upstream.requests = 900;
  upstream.failures = 4;
  upstream.last_latency = milliseconds(12);
  upstream.certificates.client_end = WallTime(seconds(1'800'000'000));
  upstream.server_certificate_end = WallTime(seconds(1'800'000'000));
  upstream.documents.role_claims = {{.name = "role"}};
  status.upstreams = {upstream};
  status.audit.log.state = audit::State::kWritable;
  status.audit.log.sequence = 5012;
  status.audit.log.bytes = 1 << 20;
  status.audit.log.segments = 2;
  status.audit.directory = "/var/lib/claimsd/audit";
  status.audit.level = "failures";
  status.audit.waiting = 8;
  status.audit.max_waiting = 65'536;
  status.fleet = {.on = true, .name = "prod", .host_name = "web-1", .connected = true};
  status.fleet.replica = {.currency = fleet::Currency::kCurrent,
                          .answers = true,
                          .pulse_age = milliseconds(400),
                          .clock_ahead = milliseconds(-20),
                          .items = 13,
                          .hosts = 4};
  std::uint64_t next = 101;
#define CLAIMSD_COUNTER_FILL(name, help) status.counters.name = next++;
  CLAIMSD_COUNTERS(CLAIMSD_COUNTER_FILL)
#undef CLAIMSD_COUNTER_FILL
#define CLAIMSD_COUNTER_FILL(name, help) status.leases.counters.name = next++;
  CLAIMSD_LEASE_COUNTERS(CLAIMSD_COUNTER_FILL)
#undef CLAIMSD_COUNTER_FILL
#define CLAIMSD_COUNTER_FILL(name, help) status.server_counters.name = next++;
  CLAIMSD_SERVER_COUNTERS(CLAIMSD_COUNTER_FILL)
#undef CLAIMSD_COUNTER_FILL
#define CLAIMSD_COUNTER_FILL(name, help) status.http.counters.name = next++;
  CLAIMSD_FRONT_DOOR_COUNTERS(CLAIMSD_COUNTER_FILL)
#undef CLAIMSD_COUNTER_FILL
#define CLAIMSD_COUNTER_FILL(name, help) status.audit.log.counters.name = next++;
  CLAIMSD_AUDIT_COUNTERS(CLAIMSD_COUNTER_FILL)
#undef CLAIMSD_COUNTER_FILL
  return status;
}

}  // namespace claimsd::admin

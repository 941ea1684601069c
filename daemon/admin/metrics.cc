#include "daemon/admin/metrics.h"

namespace claimsd::admin {
namespace {

using enum MetricType;
using Source = MetricsSource;

// One sample per Auth API.
template <class Read>
void each_upstream(Samples& samples, const Source& from, Read&& read) {
  for (const UpstreamStatus& upstream : from.status.upstreams)
    samples.add({{"upstream", upstream.name}}, read(upstream));
}

void lookups(Samples& samples, const Source& from) {
  claims::each_lookup_count(
      from.status.lookups,
      [&](std::string_view source, std::string_view verdict, std::uint64_t count) {
        samples.add({{"source", source}, {"verdict", verdict}}, count);
      });
}

void lookup_waits(Samples& samples, const Source& from) {
  claims::each_lookup_wait(from.status.lookups,
                           [&](std::string_view source, const DurationHistogram& waits) {
                             samples.add({{"source", source}}, waits);
                           });
}

void upstream_calls(Samples& samples, const Source& from) {
  for (const UpstreamStatus& upstream : from.status.upstreams) {
    claims::each_call_outcome(
        upstream.calls, [&](std::string_view outcome, const DurationHistogram& took) {
          samples.add({{"upstream", upstream.name}, {"outcome", outcome}}, took);
        });
  }
}

void upstream_role_claims(Samples& samples, const Source& from) {
  for (const UpstreamStatus& upstream : from.status.upstreams) {
    for (const RoleClaimStatus& claim : upstream.documents.role_claims)
      samples.add({{"upstream", upstream.name}, {"claim", claim.name}}, claim.found);
  }
}

void upstream_failures(Samples& samples, const Source& from) {
  for (const UpstreamStatus& upstream : from.status.upstreams) {
    claims::each_call_failure(upstream.calls, [&](std::string_view reason, std::uint64_t count) {
      samples.add({{"upstream", upstream.name}, {"reason", reason}}, count);
    });
  }
}

void audit_writable(Samples& samples, const Source& from) {
  const audit::State state = from.status.audit.log.state;
  if (state != audit::State::kOff) samples.add(std::uint64_t{state == audit::State::kWritable});
}

void server_certificate_ends(Samples& samples, const Source& from) {
  for (const UpstreamStatus& upstream : from.status.upstreams) {
    const std::optional<WallTime>& end = upstream.server_certificate_end;
    if (end) samples.add({{"upstream", upstream.name}}, end->time_since_epoch());
  }
}

// "auth.example.com:8443" of "https://auth.example.com:8443/api"; all of a URL without a host.
std::string_view host_of(std::string_view url) {
  const std::size_t scheme = url.find("://");
  if (scheme == std::string_view::npos) return url;
  const std::string_view rest = url.substr(scheme + 3);
  return rest.starts_with('/') ? rest : rest.substr(0, rest.find('/'));
}

void upstream_info(Samples& samples, const Source& from) {
  for (const UpstreamStatus& upstream : from.status.upstreams)
    samples.add({{"upstream", upstream.name}, {"host", host_of(upstream.url)}}, std::uint64_t{1});
}

void connections_refused(Samples& samples, const Source& from) {
  server::each_refusal(from.status.refusals,
                       [&](std::string_view limit, const server::Refusal& refusal) {
                         samples.add({{"limit", limit}}, refusal.count);
                       });
}

void sockets_lost(Samples& samples, const Source& from) {
  for (const SocketStatus& one : from.status.sockets)
    samples.add({{"socket", one.name}}, std::uint64_t{one.lost});
}

void client_certificate_ends(Samples& samples, const Source& from) {
  for (const UpstreamStatus& upstream : from.status.upstreams) {
    const std::optional<WallTime>& end = upstream.certificates.client_end;
    if (end) samples.add({{"upstream", upstream.name}}, end->time_since_epoch());
  }
}

// One sample, unless this host is in no fleet.
template <class Read>
void of_fleet(Samples& samples, const Source& from, Read&& read) {
  if (from.status.fleet.on) samples.add(read(from.status.fleet));
}

void fleet_pulse_age(Samples& samples, const Source& from) {
  if (const auto age = from.status.fleet.replica.pulse_age) samples.add(*age);
}

void fleet_clock_ahead(Samples& samples, const Source& from) {
  if (const auto ahead = from.status.fleet.replica.clock_ahead) samples.add(*ahead);
}

void fleet_messages(Samples& samples, const Source& from) {
  if (!from.status.fleet.on) return;
  const fleet::FleetCounters& counters = from.status.fleet.replica.counters;
  const std::pair<std::string_view, std::uint64_t> rows[] = {
      {"published", counters.published},       {"applied", counters.applied},
      {"duplicate", counters.duplicates},      {"unsealed", counters.unsealed},
      {"malformed", counters.malformed},       {"ended", counters.ended},
      {"refused_full", counters.refused_full}, {"pulse", counters.pulses},
      {"stale_pulse", counters.stale_pulses},  {"pulse_written", counters.pulses_written},
      {"exchange", counters.exchanges},        {"row_dropped", counters.rows_dropped}};
  for (const auto& [kind, count] : rows) samples.add({{"kind", kind}}, count);
}

// Rows from the tables of the components.
#define CLAIMSD_METRIC_COUNTER(name, help, table) \
  {"claimsd_" #name "_total", kCounter, "", help, \
   [](Samples& s, const Source& from) { s.add(from.status.table.name); }},
#define CLAIMSD_METRIC_SERVICE(name, help) CLAIMSD_METRIC_COUNTER(name, help, counters)
#define CLAIMSD_METRIC_SERVER(name, help) CLAIMSD_METRIC_COUNTER(name, help, server_counters)
#define CLAIMSD_METRIC_HTTP(name, help) CLAIMSD_METRIC_COUNTER(name, help, http.counters)
#define CLAIMSD_METRIC_AUDIT(name, help) CLAIMSD_METRIC_COUNTER(name, help, audit.log.counters)
#define CLAIMSD_METRIC_LEASES(name, help) CLAIMSD_METRIC_COUNTER(name, help, leases.counters)

// clang-format off
constexpr Metric kMetrics[] = {
  {"claimsd_build_info", kGauge, "version", "The daemon's version, as a label; always 1",
   [](Samples& s, const Source& from) { s.add({{"version", from.status.version}}, std::uint64_t{1}); }},
  {"claimsd_lookups_total", kCounter, "source, verdict", "Lookups that the daemon answered, by source of the answer; those that workers answered themselves are in claimsd_worker_hits_total",
   lookups},
  {"claimsd_lookup_wait_seconds", kHistogram, "source", "Waiting time of lookups that could not be answered immediately",
   lookup_waits},
  {"claimsd_upstream_call_seconds", kHistogram, "upstream, outcome", "Duration of requests to this Auth API that confirmed a token, rejected it, or failed",
   upstream_calls},
  {"claimsd_upstream_failures_by_reason_total", kCounter, "upstream, reason", "Failed requests to this Auth API, by reason",
   upstream_failures},
  CLAIMSD_COUNTERS(CLAIMSD_METRIC_SERVICE)
  CLAIMSD_LEASE_COUNTERS(CLAIMSD_METRIC_LEASES)
  CLAIMSD_SERVER_COUNTERS(CLAIMSD_METRIC_SERVER)
  CLAIMSD_FRONT_DOOR_COUNTERS(CLAIMSD_METRIC_HTTP)
  CLAIMSD_AUDIT_COUNTERS(CLAIMSD_METRIC_AUDIT)
  {"claimsd_cache_tampered_total", kCounter, "", "Cache entries that did not decrypt and were erased: another process writes to the cache",
   [](Samples& s, const Source& from) { s.add(from.status.cache_tampered); }},
  {"claimsd_cache_failures_total", kCounter, "", "Failed cache operations: see the log",
   [](Samples& s, const Source& from) { s.add(from.status.cache_failures); }},
  {"claimsd_cache_disk_full_total", kCounter, "", "Writes to the cache for which its file system had no room",
   [](Samples& s, const Source& from) { s.add(from.status.cache_disk_full); }},
  {"claimsd_cache_dropped_total", kCounter, "", "Times that the whole cache was discarded",
   [](Samples& s, const Source& from) { s.add(from.status.cache_dropped); }},
  {"claimsd_uptime_seconds", kGauge, "", "Time since the daemon started, including suspends",
   [](Samples& s, const Source& from) { s.add(from.status.uptime); }},
  {"claimsd_stopping", kGauge, "", "1 while the daemon is stopping",
   [](Samples& s, const Source& from) { s.add(std::uint64_t{from.status.stopping}); }},
  {"claimsd_connections", kGauge, "", "Clients connected to the claims socket",
   [](Samples& s, const Source& from) { s.add(from.status.connections); }},
  {"claimsd_http_connections", kGauge, "", "Clients connected to the HTTP socket",
   [](Samples& s, const Source& from) { if (from.status.http.on) s.add(from.status.http.connections); }},
  {"claimsd_http_connections_max", kGauge, "", "Maximum number of HTTP clients",
   [](Samples& s, const Source& from) { if (from.status.http.on) s.add(from.status.http.max_connections); }},
  {"claimsd_connections_max", kGauge, "", "Maximum number of connected clients",
   [](Samples& s, const Source& from) { s.add(from.status.max_connections); }},
  {"claimsd_queries_waiting", kGauge, "", "Queries waiting for an Auth API",
   [](Samples& s, const Source& from) { s.add(from.status.waiting); }},
  {"claimsd_upstream_in_flight", kGauge, "", "Requests to an Auth API in flight",
   [](Samples& s, const Source& from) { s.add(from.status.in_flight); }},
  {"claimsd_upstream_pending", kGauge, "", "Requests queued for an Auth API",
   [](Samples& s, const Source& from) { s.add(from.status.pending); }},
  {"claimsd_cache_entries", kGauge, "", "Confirmed tokens in the cache",
   [](Samples& s, const Source& from) { s.add(from.status.entries); }},
  {"claimsd_cache_entries_max", kGauge, "", "Maximum number of confirmed tokens in the cache",
   [](Samples& s, const Source& from) { s.add(from.status.max_entries); }},
  {"claimsd_cache_negative_entries", kGauge, "", "Rejected tokens in the negative cache",
   [](Samples& s, const Source& from) { s.add(from.status.negative_entries); }},
  {"claimsd_lease_slots", kGauge, "", "Slots of the shared map; 0: there is no map",
   [](Samples& s, const Source& from) { s.add(from.status.leases.slots); }},
  {"claimsd_lease_slots_used", kGauge, "", "Leases in the shared map",
   [](Samples& s, const Source& from) { s.add(from.status.leases.used); }},
  {"claimsd_revocation_rules", kGauge, "", "Purge and revocation rules stored, including withdrawn ones until they end",
   [](Samples& s, const Source& from) { s.add(from.status.stored_revocations); }},
  {"claimsd_revocation_rules_max", kGauge, "", "Maximum number of purge and revocation rules",
   [](Samples& s, const Source& from) { s.add(from.status.max_revocations); }},
  {"claimsd_revocations_unwritten", kGauge, "", "Purges, revocations and withdrawals that are in effect, but not on disk",
   [](Samples& s, const Source& from) { s.add(from.status.unwritten_revocations); }},
  {"claimsd_connections_refused_by_limit_total", kCounter, "limit", "Rejected connections, by the option in [daemon] that rejected them",
   connections_refused},
  {"claimsd_audit_max_bytes", kGauge, "", "Maximum size of the audit log: `audit.max_bytes`",
   [](Samples& s, const Source& from) { s.add(from.status.audit.max_bytes); }},
  {"claimsd_socket_lost", kGauge, "socket", "1 while the path of this socket no longer leads to the daemon: new clients cannot reach it",
   sockets_lost},
  {"claimsd_audit_writable", kGauge, "", "1 while the audit log can be written; absent if it is off",
   audit_writable},
  {"claimsd_audit_sequence", kGauge, "", "Sequence number of the last audit record",
   [](Samples& s, const Source& from) { s.add(from.status.audit.log.sequence); }},
  {"claimsd_audit_bytes", kGauge, "", "Size of the audit log's segments",
   [](Samples& s, const Source& from) { s.add(from.status.audit.log.bytes); }},
  {"claimsd_audit_segments", kGauge, "", "Segments of the audit log",
   [](Samples& s, const Source& from) { s.add(from.status.audit.log.segments); }},
  {"claimsd_audit_waiting", kGauge, "", "Answers waiting until their record is on disk",
   [](Samples& s, const Source& from) { s.add(from.status.audit.waiting); }},
  {"claimsd_audit_waiting_max", kGauge, "", "Maximum number of answers waiting for their record",
   [](Samples& s, const Source& from) { s.add(from.status.audit.max_waiting); }},
  {"claimsd_upstream_documents_total", kCounter, "upstream", "Claims documents of this Auth API that confirmed a token",
   [](Samples& s, const Source& from) { each_upstream(s, from, [](const auto& u) { return u.documents.seen; }); }},
  {"claimsd_upstream_truncated_documents_total", kCounter, "upstream", "Claims documents of this Auth API larger than `max_claims_bytes`",
   [](Samples& s, const Source& from) { each_upstream(s, from, [](const auto& u) { return u.documents.truncated; }); }},
  {"claimsd_upstream_odd_emails_total", kCounter, "upstream", "Claims documents of this Auth API whose email claim was no email address",
   [](Samples& s, const Source& from) { each_upstream(s, from, [](const auto& u) { return u.documents.odd_emails; }); }},
  {"claimsd_upstream_role_claims_total", kCounter, "upstream, claim", "Claims documents of this Auth API that had this configured role claim",
   upstream_role_claims},
  {"claimsd_upstream_consecutive_failures", kGauge, "upstream", "Failed requests since this Auth API last answered",
   [](Samples& s, const Source& from) { each_upstream(s, from, [](const auto& u) { return u.consecutive_failures; }); }},
  {"claimsd_upstream_uncacheable_total", kCounter, "upstream", "Confirmations of this Auth API that forbade caching, so that they were not cached",
   [](Samples& s, const Source& from) { each_upstream(s, from, [](const auto& u) { return u.uncacheable; }); }},
  {"claimsd_upstream_backoff_seconds", kGauge, "upstream", "Remaining backoff of this Auth API's circuit breaker; 0: it is closed or half-open",
   [](Samples& s, const Source& from) { each_upstream(s, from, [](const auto& u) { return u.backoff; }); }},
  {"claimsd_upstream_certificates_reloaded_total", kCounter, "upstream", "Reloads of this Auth API's certificate files",
   [](Samples& s, const Source& from) { each_upstream(s, from, [](const auto& u) { return u.certificates.reloaded; }); }},
  {"claimsd_upstream_certificates_refused_total", kCounter, "upstream", "Changes of this Auth API's certificate files that were invalid",
   [](Samples& s, const Source& from) { each_upstream(s, from, [](const auto& u) { return u.certificates.refused; }); }},
  {"claimsd_upstream_certificates_outdated", kGauge, "upstream", "1 while the certificate files are invalid and the previous ones are in effect",
   [](Samples& s, const Source& from) { each_upstream(s, from, [](const auto& u) { return std::uint64_t{!u.certificates.error.empty()}; }); }},
  {"claimsd_upstream_client_certificate_end_seconds", kGauge, "upstream", "Expiry of the client certificate for this Auth API, in seconds since the Unix epoch; absent if there is none",
   client_certificate_ends},
  {"claimsd_unclean_start", kGauge, "", "1 if the previous daemon had crashed or was killed",
   [](Samples& s, const Source& from) { s.add(std::uint64_t{from.status.leases.unclean_start}); }},
  {"claimsd_upstream_info", kGauge, "upstream, host", "The host of the first URL of this Auth API, as a label; always 1",
   upstream_info},
  {"claimsd_upstream_server_certificate_end_seconds", kGauge, "upstream", "Expiry of the certificate that this Auth API showed at the latest TLS handshake, in seconds since the Unix epoch; absent before the first one",
   server_certificate_ends},
  {"claimsd_fleet_current", kGauge, "", "1 while this host has all revocations of its fleet; all metrics of the fleet are absent without [fleet]",
   [](Samples& s, const Source& from) { of_fleet(s, from, [](const auto& f) { return std::uint64_t{f.replica.currency == fleet::Currency::kCurrent}; }); }},
  {"claimsd_fleet_answers", kGauge, "", "1 while this host answers queries; 0 if it answers every query unavailable because it is not current",
   [](Samples& s, const Source& from) { of_fleet(s, from, [](const auto& f) { return std::uint64_t{f.replica.answers}; }); }},
  {"claimsd_fleet_connected", kGauge, "", "1 while this host is connected to the Redis of its fleet",
   [](Samples& s, const Source& from) { of_fleet(s, from, [](const auto& f) { return std::uint64_t{f.connected}; }); }},
  {"claimsd_fleet_connects_total", kCounter, "", "Connections to the Redis of the fleet",
   [](Samples& s, const Source& from) { of_fleet(s, from, [](const auto& f) { return f.connects; }); }},
  {"claimsd_fleet_pulse_age_seconds", kGauge, "", "Time since the last pulse of the fleet; absent before the first one",
   fleet_pulse_age},
  {"claimsd_fleet_clock_ahead_seconds", kGauge, "", "This host's clock minus that of Redis; absent before the first connection",
   fleet_clock_ahead},
  {"claimsd_fleet_hosts", kGauge, "", "Hosts of the fleet in the last 30 days",
   [](Samples& s, const Source& from) { of_fleet(s, from, [](const auto& f) { return f.replica.hosts; }); }},
  {"claimsd_fleet_actions", kGauge, "", "Actions and withdrawals that the fleet shares and this host has",
   [](Samples& s, const Source& from) { of_fleet(s, from, [](const auto& f) { return f.replica.items; }); }},
  {"claimsd_fleet_unpublished", kGauge, "", "Actions of this host that no other host can have seen yet",
   [](Samples& s, const Source& from) { of_fleet(s, from, [](const auto& f) { return f.replica.unpublished; }); }},
  {"claimsd_fleet_dropped_total", kCounter, "", "Commands to Redis for which there was no room; the hosts repeat what matters",
   [](Samples& s, const Source& from) { of_fleet(s, from, [](const auto& f) { return f.dropped; }); }},
  {"claimsd_fleet_messages_total", kCounter, "kind", "Messages of the fleet, by what became of them; unsealed: not sealed under a key of the fleet, by a process that can write to Redis",
   fleet_messages},
  {"process_start_time_seconds", kGauge, "", "Start time of the daemon, in seconds since the Unix epoch",
   [](Samples& s, const Source& from) { s.add(from.status.started.time_since_epoch()); }},
  {"process_cpu_seconds_total", kCounter, "", "CPU time of all threads",
   [](Samples& s, const Source& from) { s.add(from.process.cpu); }},
  {"process_resident_memory_bytes", kGauge, "", "Resident memory of the process",
   [](Samples& s, const Source& from) { s.add(from.process.resident_bytes); }},
  {"process_virtual_memory_bytes", kGauge, "", "Virtual memory of the process",
   [](Samples& s, const Source& from) { s.add(from.process.virtual_bytes); }},
  {"process_threads", kGauge, "", "Threads of the process",
   [](Samples& s, const Source& from) { s.add(from.process.threads); }},
  {"process_open_fds", kGauge, "", "Open file descriptors",
   [](Samples& s, const Source& from) { s.add(from.process.open_descriptors); }},
  {"process_max_fds", kGauge, "", "Maximum number of open file descriptors",
   [](Samples& s, const Source& from) { s.add(from.process.max_descriptors); }},
};
// clang-format on

}  // namespace

std::span<const Metric> metrics() {
  return kMetrics;
}

}  // namespace claimsd::admin

#include "daemon/admin/status_json.h"

#include <fmt/chrono.h>

#include <algorithm>

#include "daemon/admin/fleet_routes.h"

namespace claimsd::admin {
namespace {

// The share of lookups answered from a cache, the daemon's or the workers' own, among those that a
// cache could have answered; null before the first one.
void write_hit_ratio(JsonWriter& json, const claims::Counters& counters,
                     std::uint64_t worker_hits) {
  const auto hits = counters.cache_hits + counters.negative_hits + worker_hits;
  const auto asked =
      counters.queries - std::min(counters.queries, counters.local_rejections) + worker_hits;
  json.key("hit_ratio");
  if (asked == 0) {
    json.null();
  } else {
    json.value(static_cast<double>(hits) / static_cast<double>(asked));
  }
}

void write_findings(JsonWriter& json, const std::vector<Finding>& findings) {
  json.key("findings").begin_array();
  for (const auto& finding : findings) {
    json.begin_object()
        .member("code", finding.code)
        .member("message", finding.message)
        .member("hint", finding.hint)
        .end_object();
  }
  json.end_array();
}

void write_upstream(JsonWriter& json, const UpstreamStatus& upstream) {
  json.begin_object()
      .member("name", upstream.name)
      .member("url", upstream.url)
      .member("default", upstream.is_default)
      .member("state", upstream_state(upstream))
      .member("requests", upstream.requests)
      .member("failures", upstream.failures)
      .member("consecutive_failures", upstream.consecutive_failures)
      .member("last_failure", upstream.last_failure)
      .member("last_latency_seconds", in_seconds(upstream.last_latency))
      .member("backoff_seconds", in_seconds(upstream.backoff))
      .member("documents", upstream.documents.seen)
      .member("truncated_documents", upstream.documents.truncated)
      .member("forbids_caching", upstream.consecutive_uncacheable >= kUncacheableAfter)
      .member("certificate_error", upstream.certificates.error)
      .member("client_certificate_ends", upstream.certificates.client_end, rfc3339)
      .end_object();
}

void write_process(JsonWriter& json, const DaemonStatus& status) {
  json.member("version", status.version)
      .member("pid", status.pid)
      .member("started", rfc3339(status.started))
      .member("uptime_seconds", in_seconds(status.uptime))
      .member("claims_socket", status.claims_socket)
      .member("config_file", status.config_file);
}

void write_load(JsonWriter& json, const DaemonStatus& status) {
  json.key("connections")
      .begin_object()
      .member("open", status.connections)
      .member("max", status.max_connections)
      .end_object();
  json.key("http")
      .begin_object()
      .member("on", status.http.on)
      .member("connections", status.http.connections)
      .member("max_connections", status.http.max_connections)
      .end_object();
  json.key("queries").begin_object().member("waiting", status.waiting).end_object();
  json.key("requests")
      .begin_object()
      .member("in_flight", status.in_flight)
      .member("pending", status.pending)
      .end_object();
  json.key("cache")
      .begin_object()
      .member("entries", status.entries)
      .member("max_entries", status.max_entries)
      .member("negative_entries", status.negative_entries)
      .member("revocations", status.revocations)
      .member("max_revocations", status.max_revocations)
      .member("unwritten_revocations", status.unwritten_revocations);
  write_hit_ratio(json, status.counters, status.server_counters.worker_hits);
  json.end_object();
  json.key("leases")
      .begin_object()
      .member("slots", status.leases.slots)
      .member("used", status.leases.used)
      .member("epoch", status.leases.epoch)
      .end_object();
}

void write_audit(JsonWriter& json, const AuditStatus& audit) {
  json.key("audit")
      .begin_object()
      .member("state", name_of(audit.log.state))
      .member("directory", audit.directory)
      .member("level", audit.level)
      .member("when_full", audit.denies ? "unavailable" : "allow_unrecorded")
      .member("sequence", audit.log.sequence)
      .member("segments", audit.log.segments)
      .member("bytes", audit.log.bytes)
      .member("waiting", audit.waiting)
      .member("max_waiting", audit.max_waiting)
      .end_object();
}

}  // namespace

double in_seconds(Duration duration) {
  return std::chrono::duration<double>(duration).count();
}

void write_counters(JsonWriter& json, const DaemonStatus& status) {
  const auto write = [&](std::string_view name, std::string_view, std::uint64_t value) {
    json.member(name, value);
  };
  json.key("counters").begin_object();
  each_counter(status.counters, write);
  each_counter(status.leases.counters, write);
  each_counter(status.server_counters, write);
  each_counter(status.http.counters, write);
  each_counter(status.audit.log.counters, write);
  json.end_object();
}

std::string rfc3339(WallTime time) {
  const auto whole = std::chrono::floor<seconds>(time.time_since_epoch());
  return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(static_cast<std::time_t>(whole.count())));
}

std::string status_json(const DaemonStatus& status) {
  const auto findings = assess(status);
  JsonWriter json;
  json.begin_object()
      .member("schema", kStatusSchema)
      .member("healthy", findings.empty())
      .member("state", status.stopping ? "stopping" : "running");
  write_findings(json, findings);
  write_process(json, status);
  write_load(json, status);
  json.key("upstreams").begin_array();
  for (const auto& upstream : status.upstreams) write_upstream(json, upstream);
  json.end_array();
  write_audit(json, status.audit);
  json.key("fleet").begin_object();
  write_fleet_status(json, status.fleet);
  json.end_object();
  write_counters(json, status);
  return json.end_object().take();
}

std::string readiness_json(const std::vector<Finding>& findings, bool ready) {
  JsonWriter json;
  json.begin_object().member("schema", kStatusSchema).member("ready", ready);
  write_findings(json, findings);
  return json.end_object().take();
}

}  // namespace claimsd::admin

#include "daemon/admin/statistics_json.h"

#include <algorithm>

#include "daemon/admin/status_json.h"
#include "daemon/base/json_writer.h"

namespace claimsd::admin {
namespace {

void write_histogram(JsonWriter& json, const DurationHistogram& histogram) {
  json.begin_object()
      .member("count", histogram.count())
      .member("sum_seconds", in_seconds(histogram.sum()))
      .key("buckets")
      .begin_array();
  for (const std::uint64_t count : histogram.buckets()) json.value(count);
  json.end_array().end_object();
}

// Shared by all histograms here. The last bucket has no bound.
void write_bounds(JsonWriter& json) {
  json.key("bucket_bounds_seconds").begin_array();
  for (const Duration bound : DurationHistogram::kBounds) json.value(in_seconds(bound));
  json.end_array();
}

void write_lookups(JsonWriter& json, const claims::LookupStatistics& lookups) {
  json.key("lookups").begin_array();
  claims::each_lookup_count(
      lookups, [&](std::string_view source, std::string_view verdict, std::uint64_t count) {
        json.begin_object()
            .member("source", source)
            .member("verdict", verdict)
            .member("count", count)
            .end_object();
      });
  json.end_array().key("waits").begin_object();
  claims::each_lookup_wait(lookups, [&](std::string_view source, const DurationHistogram& waits) {
    json.key(source);
    write_histogram(json, waits);
  });
  json.end_object();
}

void write_upstream_statistics(JsonWriter& json, const UpstreamStatus& upstream) {
  json.begin_object()
      .member("name", upstream.name)
      .member("state", upstream_state(upstream))
      .member("backoff_seconds", in_seconds(upstream.backoff))
      .key("calls")
      .begin_object();
  claims::each_call_outcome(upstream.calls,
                            [&](std::string_view outcome, const DurationHistogram& took) {
                              json.key(outcome);
                              write_histogram(json, took);
                            });
  json.end_object().key("failures").begin_object();
  claims::each_call_failure(upstream.calls, [&](std::string_view reason, std::uint64_t count) {
    json.member(reason, count);
  });
  json.end_object().end_object();
}

void write_peers(JsonWriter& json, const server::PeerTable& peers) {
  std::vector<server::PeerRow> rows;
  for (const auto& [uid, row] : peers.rows()) rows.push_back(row);
  const std::size_t shown = std::min(rows.size(), kMaxPeersShown);
  std::partial_sort(rows.begin(), rows.begin() + static_cast<std::ptrdiff_t>(shown), rows.end(),
                    [](const server::PeerRow& one, const server::PeerRow& other) {
                      return one.queries != other.queries ? one.queries > other.queries
                                                          : one.uid < other.uid;
                    });
  rows.resize(shown);
  json.key("peers").begin_array();
  for (const server::PeerRow& row : rows) {
    json.begin_object()
        .member("uid", row.uid)
        .member("connections", row.connections)
        .member("queries", row.queries)
        .member("invalid", row.invalid)
        .member("unavailable", row.unavailable)
        .member("rate_limited", row.rate_limited)
        .end_object();
  }
  json.end_array();
}

void write_process(JsonWriter& json, const ProcessUsage& process) {
  json.key("process")
      .begin_object()
      .member("cpu_seconds", in_seconds(process.cpu))
      .member("resident_bytes", process.resident_bytes)
      .member("threads", process.threads)
      .member("open_descriptors", process.open_descriptors)
      .member("max_descriptors", process.max_descriptors)
      .end_object();
}

}  // namespace

std::string statistics_json(const DaemonStatus& status, const ProcessUsage& process,
                            const server::PeerTable& peers) {
  JsonWriter json;
  json.begin_object()
      .member("schema", kStatusSchema)
      .member("started", rfc3339(status.started))
      .member("uptime_seconds", in_seconds(status.uptime))
      .member("waiting", status.waiting)
      .member("in_flight", status.in_flight)
      .member("pending", status.pending)
      .member("entries", status.entries)
      .member("connections", status.connections)
      .member("lease_slots", status.leases.slots)
      .member("leases", status.leases.used);
  write_bounds(json);
  write_lookups(json, status.lookups);
  json.key("upstreams").begin_array();
  for (const auto& upstream : status.upstreams) write_upstream_statistics(json, upstream);
  json.end_array();
  write_peers(json, peers);
  write_process(json, process);
  write_counters(json, status);
  return json.end_object().take();
}

}  // namespace claimsd::admin

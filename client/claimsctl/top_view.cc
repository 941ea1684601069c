#include "client/claimsctl/top_view.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>

#include "client/claimsctl/table.h"
#include "daemon/base/json_writer.h"

namespace claimsd::claimsctl {
namespace {

constexpr std::size_t kSparkline = 30;

// "1,234", "12.3", "0".
std::string rate_text(double rate) {
  if (rate == 0) return "0";
  if (rate < 100) return fmt::format("{:.1f}", rate);
  return count_text(static_cast<std::uint64_t>(std::llround(rate)));
}

std::string hits_text(const TopRates& rates) {
  return rates.hit_ratio ? fmt::format("{:.1f} % hits", *rates.hit_ratio * 100) : "";
}

void add(std::vector<std::string>& lines, const Table& table) {
  for (auto& line : table.lines()) lines.push_back(std::move(line));
}

void add_lookups(std::vector<std::string>& lines, const TopModel& model, const Output& output) {
  using enum Align;
  const TopRates& rates = model.rates();
  Table table({kLeft, kRight, kLeft, kLeft});
  const auto row = [&](const std::string& label, double rate, const std::string& line,
                       const std::string& note) {
    table.add({label, rate_text(rate) + " /s", sparkline(model.line(line), kSparkline), note});
  };
  const std::string trouble = fmt::format("{} invalid/s, {} unavailable/s",
                                          rate_text(rates.invalid), rate_text(rates.unavailable));
  row(output.coloured(Colour::kStrong, "lookups"), rates.lookups, "lookups", hits_text(rates));
  for (std::size_t at = 0; at < kTopSources.size(); ++at) {
    const std::string source(kTopSources[at]);
    const bool none = source == "none";
    row(none ? "  no source" : "  " + source, rates.by_source[at], source, none ? trouble : "");
  }
  add(lines, table);
  const TopSample& now = model.sample();
  lines.push_back(output.coloured(
      Colour::kFaint,
      now.lease_slots == 0
          ? "  all lookups use the socket: there is no shared map"
          : fmt::format("  {} leases ({}/s renewed); workers report their lookups once a second",
                        count_text(now.leases), rate_text(rates.leases_renewed))));
}

void add_load(std::vector<std::string>& lines, const TopModel& model) {
  const TopSample& now = model.sample();
  lines.push_back(fmt::format(
      "  {} waiting, {} in flight, {} pending; {} connections; {} entries; {}, {:.1f} % CPU",
      count_text(now.waiting), count_text(now.in_flight), count_text(now.pending),
      count_text(now.connections), count_text(now.entries), bytes_text(now.resident_bytes),
      model.rates().cpu * 100));
}

std::string state_text(const TopSample::Upstream& upstream, const Output& output) {
  const Colour colour = upstream.state == "ok"        ? Colour::kGood
                        : upstream.state == "failing" ? Colour::kBad
                                                      : Colour::kUnsure;
  auto text = output.coloured(colour, upstream.state);
  if (upstream.backoff_seconds <= 0) return text;
  return text + ", backoff " + duration_text(upstream.backoff_seconds);
}

void add_upstreams(std::vector<std::string>& lines, const TopModel& model, const Output& output) {
  using enum Align;
  const TopSample& now = model.sample();
  Table table({kLeft, kLeft, kRight, kRight, kRight, kRight, kRight, kLeft});
  table.add({output.coloured(Colour::kStrong, "Auth API"), "state", "calls/s", "failed/s", "mean",
             "p50", "p99", "mean, over time"});
  for (std::size_t at = 0; at < now.upstreams.size(); ++at) {
    const auto& upstream = now.upstreams[at];
    const auto& rates = model.rates().upstreams[at];
    table.add({upstream.name, state_text(upstream, output), rate_text(rates.calls),
               rate_text(rates.failed), mean_text(rates.latency),
               within_text(rates.latency, 0.5, now.bounds),
               within_text(rates.latency, 0.99, now.bounds),
               sparkline(model.line("upstream " + upstream.name), kSparkline / 2)});
  }
  add(lines, table);
}

void add_peers(std::vector<std::string>& lines, const TopModel& model, std::size_t most,
               const Output& output) {
  using enum Align;
  const auto& peers = model.rates().peers;
  Table table({kRight, kRight, kRight, kRight, kRight});
  table.add({output.coloured(Colour::kStrong, "uid"), "connections", "queries/s", "not valid/s",
             "rate-limited/s"});
  for (std::size_t at = 0; at < peers.size() && at < most; ++at) {
    const auto& peer = peers[at];
    table.add({std::to_string(peer.uid), count_text(peer.connections), rate_text(peer.queries),
               rate_text(peer.trouble), rate_text(peer.rate_limited)});
  }
  add(lines, table);
  if (peers.size() > most)
    lines.push_back(fmt::format("  and {} less active ones", count_text(peers.size() - most)));
}

void write_latency(JsonWriter& json, const Latency& latency, const std::vector<double>& bounds) {
  const auto within = [&](double share) { return latency.within_seconds(share, bounds); };
  json.member("mean_seconds", latency.mean_seconds())
      .member("p50_within_seconds", within(0.5))
      .member("p99_within_seconds", within(0.99));
}

}  // namespace

std::vector<std::string> top_lines(const TopModel& model, const TopLayout& layout,
                                   const Output& output) {
  std::vector<std::string> lines;
  lines.push_back(fmt::format("claimsd, up for {}, refreshed every {}",
                              duration_text(model.sample().uptime_seconds),
                              duration_text(layout.interval_seconds)));
  lines.emplace_back();
  if (model.ready()) {
    add_lookups(lines, model, output);
    lines.emplace_back();
    add_upstreams(lines, model, output);
    lines.emplace_back();
    add_peers(lines, model, layout.peers, output);
    lines.emplace_back();
    add_load(lines, model);
  }
  if (layout.rows > 0 && lines.size() > layout.rows) lines.resize(layout.rows);
  for (auto& line : lines) line = clipped(line, layout.columns);
  return lines;
}

std::string top_json(const TopModel& model, const TopLayout& layout) {
  const TopSample& now = model.sample();
  const TopRates& rates = model.rates();
  JsonWriter json;
  json.begin_object()
      .member("schema", kOutputSchema)
      .member("uptime_seconds", now.uptime_seconds)
      .member("lookups_per_second", rates.lookups)
      .key("by_source")
      .begin_object();
  for (std::size_t at = 0; at < kTopSources.size(); ++at)
    json.member(kTopSources[at], rates.by_source[at]);
  json.end_object().key("hit_ratio");
  if (rates.hit_ratio) {
    json.value(*rates.hit_ratio);
  } else {
    json.null();
  }
  json.member("invalid_per_second", rates.invalid)
      .member("unavailable_per_second", rates.unavailable)
      .member("leases", now.leases)
      .member("waiting", now.waiting)
      .member("in_flight", now.in_flight)
      .member("entries", now.entries)
      .member("connections", now.connections)
      .member("cpu", rates.cpu)
      .member("resident_bytes", now.resident_bytes)
      .key("upstreams")
      .begin_array();
  for (std::size_t at = 0; at < now.upstreams.size(); ++at) {
    json.begin_object()
        .member("name", now.upstreams[at].name)
        .member("state", now.upstreams[at].state)
        .member("calls_per_second", rates.upstreams[at].calls)
        .member("failed_per_second", rates.upstreams[at].failed);
    write_latency(json, rates.upstreams[at].latency, now.bounds);
    json.end_object();
  }
  json.end_array().key("peers").begin_array();
  for (std::size_t at = 0; at < rates.peers.size() && at < layout.peers; ++at) {
    const auto& peer = rates.peers[at];
    json.begin_object()
        .member("uid", peer.uid)
        .member("connections", peer.connections)
        .member("queries_per_second", peer.queries)
        .member("not_valid_per_second", peer.trouble)
        .member("over_budget_per_second", peer.rate_limited)
        .end_object();
  }
  return json.end_array().end_object().take();
}

}  // namespace claimsd::claimsctl

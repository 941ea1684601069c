#include "client/claimsctl/top_model.h"

#include <algorithm>
#include <cmath>

namespace claimsd::claimsctl {
namespace {

// The increase since `before`; the whole value if the counter was reset.
std::uint64_t growth(std::uint64_t before, std::uint64_t now) {
  return now >= before ? now - before : now;
}

TopSample::Upstream read_upstream(const Element& from) {
  TopSample::Upstream upstream{.name = text_at(from, "/name"),
                               .state = text_at(from, "/state"),
                               .backoff_seconds = number_at(from, "/backoff_seconds")};
  for (const char* const outcome : {"/calls/confirmed", "/calls/refused", "/calls/failed"})
    upstream.calls.add(latency_at(from, outcome));
  upstream.failed = count_at(from, "/calls/failed/count");
  return upstream;
}

TopSample::Peer read_peer(const Element& from) {
  return {.uid = count_at(from, "/uid"),
          .connections = count_at(from, "/connections"),
          .queries = count_at(from, "/queries"),
          .trouble = count_at(from, "/invalid") + count_at(from, "/unavailable"),
          .rate_limited = count_at(from, "/rate_limited")};
}

void read_lookups(const Element& statistics, TopSample& sample) {
  each_at(statistics, "/lookups", [&](const Element& row) {
    const auto count = count_at(row, "/count");
    const auto source = text_at(row, "/source");
    const auto verdict = text_at(row, "/verdict");
    for (std::size_t at = 0; at < kTopSources.size(); ++at) {
      if (source == kTopSources[at]) sample.by_source[at] += count;
    }
    if (verdict == "invalid") sample.invalid += count;
    if (verdict == "unavailable") sample.unavailable += count;
  });
  sample.by_source[kByWorker] = count_at(statistics, "/counters/worker_hits");
}

template <class Items, class Same>
auto found(const Items& items, const Same& same) {
  const auto at = std::find_if(items.begin(), items.end(), same);
  return at == items.end() ? typename Items::value_type{} : *at;
}

std::vector<TopRates::Peer> peer_rates(const TopSample& before, const TopSample& now,
                                       double seconds) {
  std::vector<TopRates::Peer> rates;
  for (const auto& peer : now.peers) {
    const auto earlier = found(before.peers, [&](const auto& one) { return one.uid == peer.uid; });
    const auto rate = [&](std::uint64_t TopSample::Peer::*counter) {
      return static_cast<double>(growth(earlier.*counter, peer.*counter)) / seconds;
    };
    rates.push_back({.uid = peer.uid,
                     .connections = peer.connections,
                     .queries = rate(&TopSample::Peer::queries),
                     .trouble = rate(&TopSample::Peer::trouble),
                     .rate_limited = rate(&TopSample::Peer::rate_limited)});
  }
  std::stable_sort(rates.begin(), rates.end(),
                   [](const auto& one, const auto& other) { return one.queries > other.queries; });
  return rates;
}

TopRates rates_between(const TopSample& before, const TopSample& now, double seconds) {
  TopRates rates;
  const auto rate = [&](std::uint64_t TopSample::*counter) {
    return static_cast<double>(growth(before.*counter, now.*counter)) / seconds;
  };
  for (std::size_t at = 0; at < kTopSources.size(); ++at) {
    rates.by_source[at] =
        static_cast<double>(growth(before.by_source[at], now.by_source[at])) / seconds;
    rates.lookups += rates.by_source[at];
  }
  rates.invalid = rate(&TopSample::invalid);
  rates.unavailable = rate(&TopSample::unavailable);
  rates.leases_renewed = rate(&TopSample::leases_renewed);
  if (rates.lookups > 0)
    rates.hit_ratio = (rates.by_source[kByWorker] + rates.by_source[kByCache]) / rates.lookups;
  rates.cpu = std::max(0.0, now.cpu_seconds - before.cpu_seconds) / seconds;
  for (const auto& upstream : now.upstreams) {
    const auto earlier =
        found(before.upstreams, [&](const auto& one) { return one.name == upstream.name; });
    const Latency latency = upstream.calls.since(earlier.calls);
    rates.upstreams.push_back(
        {.calls = static_cast<double>(latency.count) / seconds,
         .failed = static_cast<double>(growth(earlier.failed, upstream.failed)) / seconds,
         .latency = latency});
  }
  rates.peers = peer_rates(before, now, seconds);
  return rates;
}

}  // namespace

TopSample read_top_sample(const Element& statistics, double seconds) {
  TopSample sample{.seconds = seconds,
                   .started = text_at(statistics, "/started"),
                   .uptime_seconds = number_at(statistics, "/uptime_seconds")};
  read_lookups(statistics, sample);
  sample.waiting = count_at(statistics, "/waiting");
  sample.in_flight = count_at(statistics, "/in_flight");
  sample.pending = count_at(statistics, "/pending");
  sample.entries = count_at(statistics, "/entries");
  sample.connections = count_at(statistics, "/connections");
  sample.leases = count_at(statistics, "/leases");
  sample.lease_slots = count_at(statistics, "/lease_slots");
  sample.leases_renewed = count_at(statistics, "/counters/leases_renewed") +
                          count_at(statistics, "/counters/leases_published");
  sample.cpu_seconds = number_at(statistics, "/process/cpu_seconds");
  sample.resident_bytes = count_at(statistics, "/process/resident_bytes");
  each_at(statistics, "/bucket_bounds_seconds",
          [&](const Element& bound) { sample.bounds.push_back(number_at(bound, "")); });
  each_at(statistics, "/upstreams",
          [&](const Element& one) { sample.upstreams.push_back(read_upstream(one)); });
  each_at(statistics, "/peers",
          [&](const Element& one) { sample.peers.push_back(read_peer(one)); });
  return sample;
}

void TopModel::add(TopSample sample) {
  const bool same_daemon = seen_ && sample.started == sample_.started;
  const double passed = sample.seconds - sample_.seconds;
  if (seen_ && passed > 0) {
    rates_ = same_daemon ? rates_between(sample_, sample, passed)
                         : rates_between({}, sample, std::max(sample.uptime_seconds, 0.001));
    ready_ = true;
    remember("lookups", rates_.lookups);
    for (std::size_t at = 0; at < kTopSources.size(); ++at)
      remember(std::string(kTopSources[at]), rates_.by_source[at]);
    for (std::size_t at = 0; at < sample.upstreams.size(); ++at)
      remember("upstream " + sample.upstreams[at].name,
               rates_.upstreams[at].latency.mean_seconds());
  }
  sample_ = std::move(sample);
  seen_ = true;
}

void TopModel::remember(const std::string& name, double value) {
  Line& line = lines_[name];
  line.push_back(value);
  if (line.size() > kHistory) line.pop_front();
}

const TopModel::Line& TopModel::line(const std::string& name) const {
  static const Line kNone;
  const auto found = lines_.find(name);
  return found == lines_.end() ? kNone : found->second;
}

std::string sparkline(const TopModel::Line& line, std::size_t width) {
  constexpr std::string_view kBlocks[] = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
  const std::size_t shown = std::min(width, line.size());
  const auto first = line.end() - static_cast<std::ptrdiff_t>(shown);
  const double most = shown == 0 ? 0 : *std::max_element(first, line.end());
  std::string text(width - shown, ' ');
  for (auto at = first; at != line.end(); ++at) {
    const auto block = most <= 0 ? 0 : static_cast<std::size_t>(std::lround(*at / most * 7));
    text += kBlocks[std::min<std::size_t>(block, 7)];
  }
  return text;
}

}  // namespace claimsd::claimsctl

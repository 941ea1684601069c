// top_model.h: turns the daemon's counters into rates between two samples and a short history.
// Pure; the samples carry the time.
//
// After a daemon restart the counters begin at 0; the rates then count from its start.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "client/claimsctl/latency.h"

namespace claimsd::claimsctl {

// Sources in display order, the most common first.
inline constexpr std::array<std::string_view, 5> kTopSources = {"worker", "cache", "upstream",
                                                                "stale", "none"};
inline constexpr std::size_t kByWorker = 0;  // lookups that never reached the daemon
inline constexpr std::size_t kByCache = 1;

// One sample: /v1/statistics.
struct TopSample {
  double seconds = 0;  // time of the sample, by a monotonic clock
  std::string started;
  double uptime_seconds = 0;
  std::array<std::uint64_t, kTopSources.size()> by_source{};
  std::uint64_t invalid = 0;
  std::uint64_t unavailable = 0;
  std::uint64_t waiting = 0;
  std::uint64_t in_flight = 0;
  std::uint64_t pending = 0;
  std::uint64_t entries = 0;
  std::uint64_t connections = 0;
  std::uint64_t leases = 0;
  std::uint64_t lease_slots = 0;
  std::uint64_t leases_renewed = 0;
  double cpu_seconds = 0;
  std::uint64_t resident_bytes = 0;
  std::vector<double> bounds;
  struct Upstream {
    std::string name;
    std::string state;
    double backoff_seconds = 0;
    Latency calls;
    std::uint64_t failed = 0;
  };
  std::vector<Upstream> upstreams;
  struct Peer {
    std::uint64_t uid = 0;
    std::uint64_t connections = 0;
    std::uint64_t queries = 0;
    std::uint64_t trouble = 0;  // answers that were invalid or unavailable
    std::uint64_t rate_limited = 0;
  };
  std::vector<Peer> peers;
};

TopSample read_top_sample(const Element& statistics, double seconds);

// Rates per second between the last two samples.
struct TopRates {
  double lookups = 0;
  std::array<double, kTopSources.size()> by_source{};
  double invalid = 0;
  double unavailable = 0;
  double leases_renewed = 0;
  std::optional<double> hit_ratio;  // of all lookups; absent if there were none
  double cpu = 0;                   // processors in use
  struct Upstream {
    double calls = 0;
    double failed = 0;
    Latency latency;  // of the calls between the two samples
  };
  std::vector<Upstream> upstreams;  // in the order of the sample
  struct Peer {
    std::uint64_t uid = 0;
    std::uint64_t connections = 0;
    double queries = 0;
    double trouble = 0;
    double rate_limited = 0;
  };
  std::vector<Peer> peers;  // the busiest first
};

class TopModel {
 public:
  // Samples kept; a sparkline draws one per column.
  static constexpr std::size_t kHistory = 240;
  using Line = std::deque<double>;  // newest last

  void add(TopSample sample);
  bool ready() const { return ready_; }
  const TopSample& sample() const { return sample_; }
  const TopRates& rates() const { return rates_; }
  // `name`: "lookups", a source, or "upstream NAME", whose values are milliseconds.
  const Line& line(const std::string& name) const;

 private:
  void remember(const std::string& name, double value);

  TopSample sample_;
  TopRates rates_;
  std::map<std::string, Line> lines_;
  bool seen_ = false;
  bool ready_ = false;
};

// "▁▂▄█": the last `width` values, scaled so that the largest is a full block.
std::string sparkline(const TopModel::Line& line, std::size_t width);

}  // namespace claimsd::claimsctl

// top_model.h: rates out of the daemon's counters: what it did between two looks at it, and how
// that was over the last minutes. Pure; time comes with the samples.
//
// A daemon that was started anew begins at 0: what it says then counts from its start.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "client/claimsctl/latency.h"

namespace claimsd::ctl {

// Sources as they are shown, the most usual first.
inline constexpr std::array<std::string_view, 4> kTopSources = {"cache", "upstream", "stale",
                                                                "none"};

// One look at the daemon: /v1/statistics.
struct TopSample {
  double seconds = 0;  // when, by any clock that does not step
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
    double left_alone_seconds = 0;
    Latency calls;
    std::uint64_t failed = 0;
  };
  std::vector<Upstream> upstreams;
  struct Peer {
    std::uint64_t uid = 0;
    std::uint64_t connections = 0;
    std::uint64_t questions = 0;
    std::uint64_t trouble = 0;  // answers that were invalid or unavailable
    std::uint64_t over_budget = 0;
  };
  std::vector<Peer> peers;
};

TopSample read_top_sample(const Element& statistics, double seconds);

// What is shown: per second, between the last two samples.
struct TopRates {
  double lookups = 0;
  std::array<double, kTopSources.size()> by_source{};
  double invalid = 0;
  double unavailable = 0;
  double leases_renewed = 0;
  std::optional<double> hit_ratio;  // of the lookups; none when there were none
  double cpu = 0;                   // processors in use
  struct Upstream {
    double calls = 0;
    double failed = 0;
    Latency latency;  // of the calls between the two samples
  };
  std::vector<Upstream> upstreams;  // as in the sample
  struct Peer {
    std::uint64_t uid = 0;
    std::uint64_t connections = 0;
    double questions = 0;
    double trouble = 0;
    double over_budget = 0;
  };
  std::vector<Peer> peers;  // the busiest first
};

class TopModel {
 public:
  // Samples remembered, one a column of a sparkline.
  static constexpr std::size_t kHistory = 240;
  using Line = std::deque<double>;  // the newest at the end

  void add(TopSample sample);
  bool ready() const { return ready_; }
  const TopSample& sample() const { return sample_; }
  const TopRates& rates() const { return rates_; }
  // "lookups", a source, or "upstream NAME": milliseconds.
  const Line& line(const std::string& name) const;

 private:
  void remember(const std::string& name, double value);

  TopSample sample_;
  TopRates rates_;
  std::map<std::string, Line> lines_;
  bool seen_ = false;
  bool ready_ = false;
};

// "▁▂▄█": the last `width` values, the largest of them as a whole block.
std::string sparkline(const TopModel::Line& line, std::size_t width);

}  // namespace claimsd::ctl

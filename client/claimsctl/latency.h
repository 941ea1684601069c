// latency.h: a latency histogram of the admin API: count, mean, and quantile bounds. Pure values.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "client/claimsctl/reply.h"

namespace claimsd::claimsctl {

struct Latency {
  std::uint64_t count = 0;
  double sum_seconds = 0;
  std::vector<std::uint64_t> buckets;  // not cumulative; the last has no upper bound

  // The difference to `earlier`. If the daemon restarted in between, everything since its start.
  Latency since(const Latency& earlier) const;
  void add(const Latency& other);
  double mean_seconds() const { return count == 0 ? 0 : sum_seconds / static_cast<double>(count); }
  // The upper bound, in seconds, of the bucket that contains the quantile `share` (0 to 1).
  // Infinity in the last bucket, 0 if the histogram is empty.
  double within_seconds(double share, const std::vector<double>& bounds) const;
};

Latency latency_at(const Element& from, std::string_view pointer);

// "≤ 20 ms", "> 30 s", "-".
std::string within_text(const Latency& latency, double share, const std::vector<double>& bounds);
// "12.3 ms", "-".
std::string mean_text(const Latency& latency);

}  // namespace claimsd::claimsctl

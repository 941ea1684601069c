// latency.h: what a histogram of the admin API says: how many, how long on average, and within
// which bound so many of them were. Pure values.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "client/claimsctl/reply.h"

namespace claimsd::ctl {

struct Latency {
  std::uint64_t count = 0;
  double sum_seconds = 0;
  std::vector<std::uint64_t> buckets;  // not cumulative; the last has no bound

  // What came after `earlier`; all of it where the daemon has begun anew since.
  Latency since(const Latency& earlier) const;
  void add(const Latency& other);
  double mean_seconds() const { return count == 0 ? 0 : sum_seconds / static_cast<double>(count); }
  // The bound of the bucket in which the given share of them ends; infinity beyond all bounds, 0 of
  // none.
  double within_seconds(double share, const std::vector<double>& bounds) const;
};

Latency latency_at(const Element& from, std::string_view pointer);

// "≤ 20 ms", "> 30 s", "-".
std::string within_text(const Latency& latency, double share, const std::vector<double>& bounds);
// "12.3 ms", "-".
std::string mean_text(const Latency& latency);

}  // namespace claimsd::ctl

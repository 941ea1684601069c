#include "client/claimsctl/latency.h"

#include <fmt/core.h>

#include <cmath>
#include <limits>

namespace claimsd::claimsctl {

Latency Latency::since(const Latency& earlier) const {
  if (earlier.count > count || earlier.buckets.size() != buckets.size()) return *this;
  Latency later = *this;
  later.count -= earlier.count;
  later.sum_seconds -= earlier.sum_seconds;
  for (std::size_t at = 0; at < buckets.size(); ++at)
    later.buckets[at] -= std::min(later.buckets[at], earlier.buckets[at]);
  return later;
}

void Latency::add(const Latency& other) {
  count += other.count;
  sum_seconds += other.sum_seconds;
  if (buckets.size() < other.buckets.size()) buckets.resize(other.buckets.size());
  for (std::size_t at = 0; at < other.buckets.size(); ++at) buckets[at] += other.buckets[at];
}

double Latency::within_seconds(double share, const std::vector<double>& bounds) const {
  if (count == 0) return 0;
  const double wanted = share * static_cast<double>(count);
  std::uint64_t seen = 0;
  for (std::size_t at = 0; at < buckets.size() && at < bounds.size(); ++at) {
    seen += buckets[at];
    if (static_cast<double>(seen) >= wanted) return bounds[at];
  }
  return std::numeric_limits<double>::infinity();
}

Latency latency_at(const Element& from, std::string_view pointer) {
  const std::string at(pointer);
  Latency latency{.count = count_at(from, at + "/count"),
                  .sum_seconds = number_at(from, at + "/sum_seconds")};
  each_at(from, at + "/buckets",
          [&](const Element& bucket) { latency.buckets.push_back(count_at(bucket, "")); });
  return latency;
}

std::string within_text(const Latency& latency, double share, const std::vector<double>& bounds) {
  if (latency.count == 0) return "-";
  const double within = latency.within_seconds(share, bounds);
  if (std::isinf(within))
    return bounds.empty() ? "?" : fmt::format("> {}", duration_text(bounds.back()));
  return fmt::format("≤ {}", duration_text(within));
}

std::string mean_text(const Latency& latency) {
  return latency.count == 0 ? "-" : duration_text(latency.mean_seconds());
}

}  // namespace claimsd::claimsctl

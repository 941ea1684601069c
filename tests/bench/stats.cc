#include "tests/bench/stats.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

namespace claimsd::bench {

double percentile(std::vector<double> samples, double share) {
  if (samples.empty()) return 0;
  const double last = static_cast<double>(samples.size() - 1);
  const auto position = static_cast<std::ptrdiff_t>(std::lround(share * last));
  const auto at = samples.begin() + position;
  std::nth_element(samples.begin(), at, samples.end());
  return *at;
}

double median(std::vector<double> samples) {
  return percentile(std::move(samples), 0.5);
}

double trimmed_mean(std::vector<double> samples, double share) {
  if (samples.empty()) return 0;
  const auto kept =
      std::max<std::ptrdiff_t>(1, std::lround(share * static_cast<double>(samples.size())));
  const auto end = samples.begin() + kept;
  std::nth_element(samples.begin(), end - 1, samples.end());
  return std::accumulate(samples.begin(), end, 0.0) / static_cast<double>(kept);
}

double spread(const std::vector<double>& samples) {
  const double middle = median(samples);
  if (middle == 0) return 0;
  const auto [least, most] = std::minmax_element(samples.begin(), samples.end());
  return (*most - *least) / middle;
}

}  // namespace claimsd::bench

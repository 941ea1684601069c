// histogram.h: a histogram of durations with fixed buckets. Observing costs one search among
// fifteen bounds and two additions, no allocation. Buckets are not cumulative; the exposition adds
// them up.
//
// A value of one thread. It only grows, and starts at 0 with the daemon.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

#include "daemon/base/clock.h"

namespace claimsd {

class DurationHistogram {
 public:
  // Upper bounds, from a loopback request to the longest configurable timeout.
  static constexpr std::array<Duration, 15> kBounds = {std::chrono::microseconds(500),
                                                       milliseconds(1),
                                                       milliseconds(2),
                                                       milliseconds(5),
                                                       milliseconds(10),
                                                       milliseconds(20),
                                                       milliseconds(50),
                                                       milliseconds(100),
                                                       milliseconds(200),
                                                       milliseconds(500),
                                                       milliseconds(1000),
                                                       milliseconds(2000),
                                                       milliseconds(5000),
                                                       milliseconds(10'000),
                                                       milliseconds(30'000)};
  static constexpr std::size_t kBuckets = kBounds.size() + 1;  // the last one: above all bounds

  void observe(Duration took) {
    took = std::max(took, Duration(0));
    const auto bound = std::lower_bound(kBounds.begin(), kBounds.end(), took);
    ++buckets_[static_cast<std::size_t>(bound - kBounds.begin())];
    sum_ += took;
  }

  const std::array<std::uint64_t, kBuckets>& buckets() const { return buckets_; }
  Duration sum() const { return sum_; }
  std::uint64_t count() const {
    std::uint64_t count = 0;
    for (const std::uint64_t bucket : buckets_) count += bucket;
    return count;
  }

 private:
  std::array<std::uint64_t, kBuckets> buckets_{};
  Duration sum_{};
};

}  // namespace claimsd

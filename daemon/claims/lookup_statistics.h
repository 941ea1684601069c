// lookup_statistics.h: lookups that the daemon answered, by source and verdict, and the wait of
// those that could not be answered immediately. A hit costs one addition, because only waits are
// timed.
//
// Lookups that workers answer from the shared map are not included. A plain value, loop thread. All
// counters are monotonic until the daemon restarts.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "daemon/base/histogram.h"
#include "proto/vocabulary.h"

namespace claimsd::claims {

class LookupStatistics {
 public:
  void answered(proto::Source source, proto::Verdict verdict) {
    ++answered_[index(source)][index(verdict)];
  }
  void waited(proto::Source source, Duration time) { waited_[index(source)].observe(time); }

  std::uint64_t count(proto::Source source, proto::Verdict verdict) const {
    return answered_[index(source)][index(verdict)];
  }
  const DurationHistogram& waits(proto::Source source) const { return waited_[index(source)]; }

 private:
  template <class Enum>
  static constexpr std::size_t index(Enum value) {
    return static_cast<std::size_t>(value);
  }
  static constexpr auto kSources = static_cast<std::size_t>(proto::Source::kStale) + 1;
  static constexpr auto kVerdicts = static_cast<std::size_t>(proto::Verdict::kUnavailable) + 1;

  std::array<std::array<std::uint64_t, kVerdicts>, kSources> answered_{};
  std::array<DurationHistogram, kSources> waited_{};
};

// Sources of a daemon answer: cache, Auth API, stale cache entry, or none (rejected locally, or
// unavailable).
inline constexpr std::array kDaemonSources = {proto::Source::kCache, proto::Source::kUpstream,
                                              proto::Source::kStale, proto::Source::kNone};
inline constexpr std::array kAllVerdicts = {proto::Verdict::kValid, proto::Verdict::kInvalid,
                                            proto::Verdict::kUnavailable};

// Calls `visit(source name, verdict name, count)` for each combination.
template <class Visit>
void each_lookup_count(const LookupStatistics& lookups, Visit&& visit) {
  for (const proto::Source source : kDaemonSources) {
    for (const proto::Verdict verdict : kAllVerdicts)
      visit(name_of(source), name_of(verdict), lookups.count(source, verdict));
  }
}

// Calls `visit(source name, histogram)` for each source.
template <class Visit>
void each_lookup_wait(const LookupStatistics& lookups, Visit&& visit) {
  for (const proto::Source source : kDaemonSources) visit(name_of(source), lookups.waits(source));
}

}  // namespace claimsd::claims

// call_statistics.h: outcomes and durations of the requests to one Auth API.
//
// A plain value, loop thread. All counters are monotonic until the daemon restarts.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "daemon/base/histogram.h"
#include "proto/vocabulary.h"

namespace claimsd::claims {

class CallStatistics {
 public:
  enum class Outcome : std::uint8_t { kConfirmed, kRejected, kFailed };
  static constexpr std::array<std::string_view, 3> kOutcomes = {"confirmed", "rejected", "failed"};
  // Reasons why a request gave no verdict. Any reason not listed counts as the last one.
  static constexpr std::array kFailures = {
      proto::Reason::kUpstreamTimeout,     proto::Reason::kUpstreamConnect,
      proto::Reason::kUpstreamTls,         proto::Reason::kUpstreamStatus,
      proto::Reason::kUpstreamBody,        proto::Reason::kUpstreamTooLarge,
      proto::Reason::kUpstreamProtocol,    proto::Reason::kUpstreamCertificate,
      proto::Reason::kUpstreamCredentials, proto::Reason::kInternal};

  static constexpr Outcome outcome_of(proto::Reason reason) {
    if (reason == proto::Reason::kOk) return Outcome::kConfirmed;
    return proto::verdict_of(reason) == proto::Verdict::kInvalid ? Outcome::kRejected
                                                                 : Outcome::kFailed;
  }

  // `reason`: RequestReport::reason.
  void completed(proto::Reason reason, Duration took) {
    const Outcome outcome = outcome_of(reason);
    took_[static_cast<std::size_t>(outcome)].observe(took);
    if (outcome != Outcome::kFailed) return;
    std::size_t at = 0;
    while (at + 1 < kFailures.size() && kFailures[at] != reason) ++at;
    ++failures_[at];
  }

  const std::array<DurationHistogram, kOutcomes.size()>& took() const { return took_; }
  const std::array<std::uint64_t, kFailures.size()>& failures() const { return failures_; }

 private:
  std::array<DurationHistogram, kOutcomes.size()> took_{};
  std::array<std::uint64_t, kFailures.size()> failures_{};
};

// Calls `visit(outcome name, histogram)` for each outcome.
template <class Visit>
void each_call_outcome(const CallStatistics& calls, Visit&& visit) {
  for (std::size_t at = 0; at < CallStatistics::kOutcomes.size(); ++at)
    visit(CallStatistics::kOutcomes[at], calls.took()[at]);
}

// Calls `visit(reason name, count)` for each failure reason.
template <class Visit>
void each_call_failure(const CallStatistics& calls, Visit&& visit) {
  for (std::size_t at = 0; at < CallStatistics::kFailures.size(); ++at)
    visit(name_of(CallStatistics::kFailures[at]), calls.failures()[at]);
}

}  // namespace claimsd::claims

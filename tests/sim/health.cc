#include "tests/sim/health.h"

#include <algorithm>

namespace claimsd::sim {

using namespace daemon;
using proto::Reason;

namespace {

constexpr std::size_t kFirstOfTheRamp = 2;

}  // namespace

bool is_down(const Response& response) {
  switch (response.failure) {
    case Reason::kOk: return response.status >= 500 || response.status == 429;
    case Reason::kUpstreamTooLarge: return false;
    default: return true;
  }
}

void UpstreamHealth::reset(const GatePolicy& policy, std::size_t max_in_flight) {
  *this = UpstreamHealth();
  policy_ = policy;
  max_in_flight_ = window_ = max_in_flight;
}

void UpstreamHealth::ended(const Response& response, BootTime now) {
  if (!is_down(response)) {
    window_ = std::min(max_in_flight_, state_ == State::kWorks ? window_ + 1 : kFirstOfTheRamp);
    state_ = State::kWorks;
    failures_ = 0;
    return;
  }
  ++failures_;
  const Duration advice = std::min<Duration>(response.retry_after, policy_.longest_retry_after);
  if (state_ == State::kLeftAlone) {
    if (advice > Duration(0)) leave_alone(advice, now);
  } else if (state_ == State::kProbed || failures_ >= policy_.open_after || advice > Duration(0)) {
    earliest_ = latest_ = now;
    leave_alone(advice, now);
    latest_ = std::max(latest_, now + policy_.longest_backoff);
    state_ = State::kLeftAlone;
  }
}

void UpstreamHealth::leave_alone(Duration retry_after, BootTime now) {
  earliest_ = std::max(earliest_, now + retry_after);
  latest_ = std::max(latest_, now + retry_after);
}

const char* UpstreamHealth::started(BootTime now, std::size_t flying) {
  switch (state_) {
    case State::kWorks: return flying > window_ ? "a wall of requests, not a ramp" : "";
    case State::kProbed: return "a second probe";
    case State::kLeftAlone:
      if (now < earliest_) return "asked again before Retry-After";
      state_ = State::kProbed;
      return "";
  }
  return "";
}

}  // namespace claimsd::sim

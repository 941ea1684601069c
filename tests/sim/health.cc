#include "tests/sim/health.h"

#include <algorithm>

namespace claimsd::sim {

using namespace claims;
using proto::Reason;

namespace {

constexpr std::size_t kFirstOfTheRamp = 2;
constexpr Duration kRemembered = seconds(60);

}  // namespace

bool is_down(const Response& response) {
  switch (response.failure) {
    case Reason::kOk: return response.status >= 500 || response.status == 429;
    case Reason::kUpstreamTooLarge: return false;
    default: return true;
  }
}

bool may_be_token(const Response& response) {
  return is_down(response) && response.failure != Reason::kUpstreamConnect &&
         response.failure != Reason::kUpstreamTls;
}

bool was_reused(const RequestRecord& request) {
  // These fail before a connection is there.
  return request.connection.reused && request.response.failure != Reason::kUpstreamConnect &&
         request.response.failure != Reason::kUpstreamTls;
}

bool may_be_connection(const RequestRecord& request) {
  const Response& response = request.response;
  return is_down(response) && was_reused(request) && response.status != 429 &&
         response.retry_after == seconds(0);
}

void UpstreamHealth::reset(const claims::BreakerPolicy& policy, std::size_t max_in_flight) {
  *this = UpstreamHealth();
  policy_ = policy;
  max_in_flight_ = window_ = max_in_flight;
}

void UpstreamHealth::ended(const RequestRecord& request, bool settled, Failing& failing,
                           BootTime now) {
  const Response& response = request.response;
  if (!is_down(response)) {
    window_ = std::min(max_in_flight_, state_ == State::kWorks ? window_ + 1 : kFirstOfTheRamp);
    state_ = State::kWorks;
    failures_ = 0;
    if (settled) {
      failing = {};
    } else {
      note_token(response, failing, now);
    }
    return;
  }
  const bool said_before = may_be_token(response) && failing.holds(now);
  if (may_be_token(response)) note_token(response, failing, now);
  if (may_be_connection(request)) return;
  const Duration advice = std::min<Duration>(response.retry_after, policy_.longest_retry_after);
  if (said_before) {
    if (state_ != State::kProbed) return;
    if (excused_ != nullptr && excused_ != &failing) return shut(advice, now);
    excused_ = &failing;
    state_ = State::kLeftAlone;
    return;
  }
  ++failures_;
  // A 429 concerns this user only; other Retry-After advice concerns all.
  const bool is_told = advice > Duration(0) && response.status != 429;
  if (state_ == State::kLeftAlone) {
    if (is_told) back_off(advice, now);
  } else if (state_ == State::kProbed || failures_ >= policy_.failure_threshold || is_told) {
    shut(advice, now);
  }
}

void UpstreamHealth::shut(Duration advice, BootTime now) {
  excused_ = nullptr;
  earliest_ = latest_ = now;
  back_off(advice, now);
  latest_ = std::max(latest_, now + policy_.longest_backoff);
  state_ = State::kLeftAlone;
}

void UpstreamHealth::note_token(const Response& response, Failing& failing, BootTime now) const {
  failing.failures = failing.holds(now) ? failing.failures + 1 : 1;
  const Duration advice = std::min<Duration>(response.retry_after, policy_.longest_retry_after);
  const bool backoff = failing.failures >= policy_.failure_threshold;
  Duration limit = policy_.first_backoff;
  for (unsigned round = policy_.failure_threshold; backoff && round < failing.failures; ++round)
    limit = std::min(2 * limit, policy_.longest_backoff);
  failing.earliest = now + (backoff ? std::max(advice, limit / 2) : advice);
  failing.latest = now + (backoff ? std::max(advice, policy_.longest_backoff) : advice);
  failing.forgotten = now + std::max(policy_.longest_backoff, advice) + kRemembered;
}

void UpstreamHealth::back_off(Duration retry_after, BootTime now) {
  earliest_ = std::max(earliest_, now + retry_after);
  latest_ = std::max(latest_, now + retry_after);
}

const char* UpstreamHealth::started(BootTime now, std::size_t in_flight) {
  switch (state_) {
    case State::kWorks: return in_flight > window_ ? "more requests than the ramp allows" : "";
    case State::kProbed: return "a second probe";
    case State::kLeftAlone:
      if (now < earliest_) return "a request during the backoff or Retry-After";
      state_ = State::kProbed;
      return "";
  }
  return "";
}

}  // namespace claimsd::sim

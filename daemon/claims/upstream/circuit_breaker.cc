#include "daemon/claims/upstream/circuit_breaker.h"

#include <algorithm>

namespace claimsd::claims {
namespace {

constexpr std::uint32_t kFirstWindow = 2;  // limit after an outage
constexpr std::uint32_t kMaxRetriesSaved = 10;
constexpr Duration kShortestBackoff = milliseconds(100);

}  // namespace

Duration backoff_limit(const BreakerPolicy& policy, unsigned round) {
  Duration backoff = policy.first_backoff;
  for (; round > 0 && backoff < policy.longest_backoff; --round) backoff *= 2;
  return std::min(backoff, policy.longest_backoff);
}

// The jitter keeps hosts that failed together from retrying together.
Duration draw_backoff(const BreakerPolicy& policy, unsigned round, Random& random) {
  Duration backoff = backoff_limit(policy, round);
  backoff = Duration(
      static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(backoff.count()) + 1)));
  return std::max(backoff, kShortestBackoff);
}

CircuitBreaker::CircuitBreaker(const BreakerPolicy& policy)
    : policy_(policy),
      window_(policy.max_in_flight),
      retry_hundredths_(policy.retry_percent > 0 ? kMaxRetriesSaved * 100 : 0) {}

void CircuitBreaker::set_policy(const BreakerPolicy& policy) {
  const bool wide_open = window_ >= policy_.max_in_flight;
  policy_ = policy;
  window_ = wide_open ? policy_.max_in_flight : std::min(window_, policy_.max_in_flight);
  if (policy_.retry_percent == 0) retry_hundredths_ = 0;
}

bool CircuitBreaker::admits(BootTime now, std::uint32_t in_flight) const {
  switch (state_) {
    case State::kClosed: return in_flight < std::min(window_, policy_.max_in_flight);
    case State::kOpen: return now >= open_until_;
    case State::kHalfOpen: return false;
  }
  return false;
}

void CircuitBreaker::started(BootTime now) {
  if (state_ == State::kOpen && now >= open_until_) state_ = State::kHalfOpen;
  retry_hundredths_ = std::min(retry_hundredths_ + policy_.retry_percent, kMaxRetriesSaved * 100);
}

void CircuitBreaker::succeeded() {
  failures_ = 0;
  if (state_ == State::kClosed) {
    window_ = std::min(window_ + 1, policy_.max_in_flight);
    return;
  }
  // This may also be a response from before the breaker opened: the Auth API works.
  state_ = State::kClosed;
  rounds_ = 0;
  window_ = std::min(kFirstWindow, policy_.max_in_flight);
}

void CircuitBreaker::failed(BootTime now, RetryAfter advice, Random& random) {
  ++failures_;
  const bool is_told = advice.for_all && advice.wait > Duration(0);
  switch (state_) {
    case State::kClosed:
      if (failures_ >= policy_.failure_threshold || is_told) open(now, bounded(advice), random);
      return;
    case State::kHalfOpen: open(now, bounded(advice), random); return;
    case State::kOpen:  // A request from before the breaker opened. Only its Retry-After is new.
      if (is_told) open_until_ = std::max(open_until_, now + bounded(advice));
      return;
  }
}

void CircuitBreaker::failed_again(BootTime now, RetryAfter advice, std::uint64_t token,
                                  Random& random) {
  if (state_ != State::kHalfOpen) return;
  if (excused_ && *excused_ != token) return open(now, bounded(advice), random);
  excused_ = token;
  state_ = State::kOpen;  // its backoff has passed, so the next probe may start
}

void CircuitBreaker::open(BootTime now, Duration retry_after, Random& random) {
  const Duration backoff = draw_backoff(policy_, rounds_++, random);
  excused_.reset();
  state_ = State::kOpen;
  open_until_ = now + std::max(backoff, retry_after);
}

std::optional<Duration> CircuitBreaker::backoff_remaining(BootTime now) const {
  if (state_ == State::kClosed) return std::nullopt;
  if (state_ == State::kHalfOpen) return policy_.first_backoff;
  if (now >= open_until_) return std::nullopt;
  return open_until_ - now;
}

bool CircuitBreaker::take_retry() {
  if (retry_hundredths_ < 100) return false;
  retry_hundredths_ -= 100;
  return true;
}

}  // namespace claimsd::claims

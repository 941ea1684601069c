// circuit_breaker.h: the circuit breaker of one Auth API, with Retry-After, a ramp after outages, and
// a retry budget.
//
// Opens after `failure_threshold` consecutive failures; failures that may be caused by a token count once
// per token (token_breaker.h). The backoff is 1 s, doubling up to 30 s, with full jitter, so that
// hosts that failed together do not retry together; a longer Retry-After extends it. After the
// backoff one probe is allowed (half-open): success closes the breaker, failure opens it for
// longer. After an outage the number of requests in flight starts low and grows with every success.
// Pure; loop thread.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>

#include "daemon/base/clock.h"
#include "daemon/base/random.h"
#include "daemon/claims/breaker_state.h"

namespace claimsd::claims {

struct BreakerPolicy {
  unsigned failure_threshold = 3;  // consecutive failures
  Duration first_backoff = seconds(1);
  Duration longest_backoff = seconds(30);
  Duration longest_retry_after = seconds(300);
  unsigned retry_percent = 20;  // retries per 100 first attempts
  std::uint32_t max_in_flight = 64;
};

// Maximum backoff after `round` earlier backoffs.
Duration backoff_limit(const BreakerPolicy& policy, unsigned round);
// Random backoff up to that limit (full jitter).
Duration draw_backoff(const BreakerPolicy& policy, unsigned round, Random& random);

// Retry-After of a response, and to whom it applies. 429 limits one client (RFC 6585 section 4),
// which may be a single user.
struct RetryAfter {
  Duration wait{};  // 0: none
  bool for_all = true;
};

class CircuitBreaker {
 public:
  using State = BreakerState;

  explicit CircuitBreaker(const BreakerPolicy& policy);

  // Applies a new policy and keeps the failure history.
  void set_policy(const BreakerPolicy& policy);

  // True if another request may start while `in_flight` are in flight.
  bool admits(BootTime now, std::uint32_t in_flight) const;
  // A request starts. Requires that admits() was true.
  void started(BootTime now);
  // A request ended. Any response that shows that the Auth API works counts as a success, including
  // a rejection.
  void succeeded();
  void failed(BootTime now, RetryAfter advice, Random& random);
  // A request failed like an earlier one of the same token, which is no new evidence against the
  // Auth API. If it was the probe, another probe is allowed; a second token that fails is not
  // excused.
  void failed_again(BootTime now, RetryAfter advice, std::uint64_t token, Random& random);

  // Time until requests are allowed again. Until then, queries fail without being queued. Nullopt:
  // the breaker is not open.
  std::optional<Duration> backoff_remaining(BootTime now) const;
  // Ends the backoff: the next request is the probe. A probe in flight goes on.
  void retry_now(BootTime now) {
    if (state_ == State::kOpen) open_until_ = std::min(open_until_, now);
  }
  // Takes one retry from the retry budget. False: none is left.
  bool take_retry();

  State state() const { return state_; }
  std::uint32_t window() const { return window_; }

 private:
  void open(BootTime now, Duration retry_after, Random& random);
  Duration bounded(const RetryAfter& advice) const {
    return std::min(advice.wait, policy_.longest_retry_after);
  }

  BreakerPolicy policy_;
  State state_ = State::kClosed;
  unsigned failures_ = 0;
  unsigned rounds_ = 0;  // backoffs since the last success
  BootTime open_until_{};
  // The token whose failed probe was excused since the breaker opened.
  std::optional<std::uint64_t> excused_;
  std::uint32_t window_;            // limit of requests in flight; low after an outage
  std::uint32_t retry_hundredths_;  // saved retries, in hundredths
};

}  // namespace claimsd::claims

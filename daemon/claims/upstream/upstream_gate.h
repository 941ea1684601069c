// upstream_gate.h: may a request to this Auth API start now? Failure memory, circuit breaker,
// Retry-After and the retry budget of one upstream.
//
// After `open_after` failures in a row, each of another token where the token may be why
// (failing_tokens.h), the gate is shut for a while: 1 s, doubling to 30 s, with full jitter (so
// that hosts which failed together don't come back together), or as long as Retry-After says. Then
// one probe may pass; its success opens the gate, its failure shuts it for longer. Once it is open
// again after an outage it admits a ramp: few requests at a time, more with every success. Pure;
// loop thread.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>

#include "daemon/base/clock.h"
#include "daemon/base/random.h"
#include "daemon/claims/breaker_state.h"

namespace claimsd::daemon {

struct GatePolicy {
  unsigned open_after = 3;  // failures in a row
  Duration first_backoff = seconds(1);
  Duration longest_backoff = seconds(30);
  Duration longest_retry_after = seconds(300);
  unsigned retry_percent = 20;  // retries, of all first attempts
  std::uint32_t max_in_flight = 64;
};

// How long to leave alone what fails for the (`round` + 1)th time. With full jitter.
Duration draw_backoff(const GatePolicy& policy, unsigned round, Random& random);

// The advice of an answer, and for whom it is. 429 means whoever asks too much (RFC 6585 section
// 4), which may be one user.
struct RetryAfter {
  Duration wait{};  // 0: none
  bool for_all = true;
};

class UpstreamGate {
 public:
  using State = GateState;

  explicit UpstreamGate(const GatePolicy& policy);

  // What has failed so far stays in mind.
  void set_policy(const GatePolicy& policy);

  // May one more request start, with `in_flight` on their way?
  bool admits(BootTime now, std::uint32_t in_flight) const;
  // A request starts; admits() was true.
  void started(BootTime now);
  // Requests ended. A success is every answer that shows that the Auth API works, a refusal
  // included.
  void succeeded();
  void failed(BootTime now, RetryAfter advice, Random& random);
  // One failed as an earlier one of the same token did, which says nothing more about the Auth API.
  // If it was the probe the next one is, too; but two such tokens are not excused.
  void failed_again(BootTime now, RetryAfter advice, std::uint64_t token, Random& random);

  // Questions that come now are not even queued: none when the gate is not shut; else how long it
  // will be.
  std::optional<Duration> shut_for(BootTime now) const;
  // Takes one retry out of the budget, if there is one.
  bool take_retry();

  State state() const { return state_; }
  std::uint32_t window() const { return window_; }

 private:
  void shut(BootTime now, Duration retry_after, Random& random);
  Duration bounded(const RetryAfter& advice) const {
    return std::min(advice.wait, policy_.longest_retry_after);
  }

  GatePolicy policy_;
  State state_ = State::kClosed;
  unsigned failures_ = 0;
  unsigned rounds_ = 0;  // how often it was shut without a success in between
  BootTime open_until_{};
  std::optional<std::uint64_t> excused_;  // whose probe failed since the gate was shut
  std::uint32_t window_;            // requests that may be on their way: small after an outage
  std::uint32_t retry_hundredths_;  // of a retry, saved up
};

}  // namespace claimsd::daemon

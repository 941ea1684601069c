// health.h: models the health of an Auth API as the daemon can know it, and which requests are
// allowed: none during the backoff, one probe after it, then a ramp.
//
// Derived from completed and started requests, not from the core's own circuit breaker. The jitter
// of a backoff is unknown here; only its bounds are known.
#pragma once

#include <cstdint>

#include "daemon/claims/service.h"
#include "tests/sim/records.h"

namespace claimsd::sim {

class UpstreamHealth {
 public:
  enum class State : std::uint8_t { kWorks, kLeftAlone, kProbed };

  void reset(const claims::BreakerPolicy& policy, std::size_t max_in_flight);
  // A request ended and was not sent again. A failure that the token may have caused counts once per
  // token; one that a kept connection may have caused does not count. Updates `failing`, the token's
  // record. `settled`: the token was confirmed or rejected.
  void ended(const RequestRecord& request, bool settled, Failing& failing, BootTime now);
  // A request starts. Returns why it is not allowed, or "". `flying` includes this request.
  const char* started(BootTime now, std::size_t in_flight);

  State state() const { return state_; }
  // True if the backoff has lasted longer than any backoff may.
  bool ought_to_be_probed(BootTime now) const {
    return state_ == State::kLeftAlone && now > latest_;
  }
  std::size_t window() const { return window_; }

 private:
  void back_off(Duration retry_after, BootTime now);
  void shut(Duration advice, BootTime now);
  void note_token(const Response& response, Failing& failing, BootTime now) const;

  claims::BreakerPolicy policy_;
  std::size_t max_in_flight_ = 0;
  State state_ = State::kWorks;
  unsigned failures_ = 0;
  BootTime earliest_{};               // lower bound for the next probe
  BootTime latest_{};                 // from then on a probe must be allowed
  const Failing* excused_ = nullptr;  // the token whose probe failed during this backoff
  std::size_t window_ = 0;
};

// True if the response shows that the Auth API does not work.
bool is_down(const Response& response);
// True if the failure may be specific to this token: the Auth API was reached.
bool may_be_token(const Response& response);

// True if the failure may be specific to its kept connection.
bool may_be_connection(const RequestRecord& request);
// True if it went over a connection that had carried an earlier request.
bool was_reused(const RequestRecord& request);

}  // namespace claimsd::sim

// health.h: how an Auth API fares, as far as the daemon can know, and what DESIGN allows to be
// asked of it meanwhile: nothing while it is left alone, one probe after that, then a ramp.
//
// Made from what landed and what started, not from the core's own breaker. The jitter of a backoff
// is not known here: only its bounds are.
#pragma once

#include <cstdint>

#include "daemon/claims/service.h"
#include "tests/sim/records.h"

namespace claimsd::sim {

class UpstreamHealth {
 public:
  enum class State : std::uint8_t { kWorks, kLeftAlone, kProbed };

  void reset(const daemon::GatePolicy& policy, std::size_t max_in_flight);
  // A request that was not sent to the next URL instead has ended. What may be the token's doing
  // counts once for each: `failing` is of its token, and is brought up to date.
  void ended(const Response& response, Failing& failing, daemon::BootTime now);
  // A request starts. What is wrong with that; "" is nothing. `flying`: with it.
  const char* started(daemon::BootTime now, std::size_t flying);

  State state() const { return state_; }
  // Left alone for longer than any backoff lasts?
  bool ought_to_be_probed(daemon::BootTime now) const {
    return state_ == State::kLeftAlone && now > latest_;
  }
  std::size_t window() const { return window_; }

 private:
  void leave_alone(daemon::Duration retry_after, daemon::BootTime now);
  void shut(daemon::Duration advice, daemon::BootTime now);
  void note_token(const Response& response, Failing& failing, daemon::BootTime now) const;

  daemon::GatePolicy policy_;
  std::size_t max_in_flight_ = 0;
  State state_ = State::kWorks;
  unsigned failures_ = 0;
  daemon::BootTime earliest_{};       // of a probe
  daemon::BootTime latest_{};         // from then on it must be possible
  const Failing* excused_ = nullptr;  // whose probe has failed since it is left alone
  std::size_t window_ = 0;
};

// Does this show that the Auth API does not work?
bool is_down(const Response& response);
// Or does it perhaps not work for this token alone? It was asked.
bool may_be_token(const Response& response);

}  // namespace claimsd::sim

// gate_state.h: the states of an Auth API's circuit breaker (upstream_gate.h). Apart from it because
// everything that reports a state needs only this.
#pragma once

#include <cstdint>

namespace claimsd::daemon {

enum class GateState : std::uint8_t { kClosed, kOpen, kProbing };

}  // namespace claimsd::daemon

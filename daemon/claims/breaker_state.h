// breaker_state.h: the state of an upstream's circuit breaker.
#pragma once

#include <cstdint>

namespace claimsd::daemon {

enum class GateState : std::uint8_t { kClosed, kOpen, kProbing };  // as a circuit breaker has them

}  // namespace claimsd::daemon

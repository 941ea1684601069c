// breaker_state.h: the state of an upstream's circuit breaker, apart from the breaker because ports.h
// needs no more of it.
#pragma once

#include <cstdint>

namespace claimsd::claims {

enum class BreakerState : std::uint8_t { kClosed, kOpen, kHalfOpen };  // kHalfOpen: half-open

}  // namespace claimsd::claims

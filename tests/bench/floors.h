// floors.h: the minimal work of a hit without the daemon. No server: only the computation, on the
// workload's sizes.
#pragma once

#include "tests/bench/peers.h"

namespace claimsd::bench {

// Hash the token once, compare it once, load one cache line, read the clock.
Result<ContenderPtr> start_floor_local();
// Derive index and key, copy the slot, decrypt it.
Result<ContenderPtr> start_floor_shared();

}  // namespace claimsd::bench

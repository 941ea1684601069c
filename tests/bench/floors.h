// floors.h: what a hit without the daemon cannot do without. No server: nothing but the work
// itself, on the sizes of the workload.
#pragma once

#include "tests/bench/peers.h"

namespace claimsd::bench {

// Hash the token once, compare it once, load one cache line, read the clock.
Result<ContenderPtr> start_floor_local();
// Derive place and key, copy the slot, open it.
Result<ContenderPtr> start_floor_shared();

}  // namespace claimsd::bench

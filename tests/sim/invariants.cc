#include "tests/sim/invariants.h"

#include <array>

namespace claimsd::sim {

std::span<const Invariant> invariants() {
  static constexpr auto kTable = std::to_array<Invariant>({
#define CLAIMSD_SIM_INVARIANT_ROW(name, says) {#name, says, check_##name},
      CLAIMSD_SIM_INVARIANTS(CLAIMSD_SIM_INVARIANT_ROW)
#undef CLAIMSD_SIM_INVARIANT_ROW
  });
  return kTable;
}

}  // namespace claimsd::sim

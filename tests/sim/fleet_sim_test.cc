// The fleet in simulated histories, one test case for each invariant; `./dev sim` runs more of them.
#include "tests/sim/fleet_model.h"
#include "tests/support/catch.h"

namespace claimsd::sim {
namespace {

constexpr std::uint64_t kHistories = 60;

void hold(FleetInvariant invariant) {
  FleetCoverage coverage;
  for (std::uint64_t seed = 1; seed <= kHistories; ++seed) {
    const auto violation = run_fleet({.seed = seed}, only(invariant), coverage);
    if (violation)
      FAIL("seed " << seed << ", step " << violation->step << ": " << violation->found);
  }
  for (const auto& [name, count] : coverage.rows()) {
    INFO(name);
    CHECK(count > 0);
  }
}

TEST_CASE("after --everywhere returned, no current host lacks the action") {
  hold(FleetInvariant::kEverywhere);
}

TEST_CASE("after any schedule of cuts, all hosts converge and are current again") {
  hold(FleetInvariant::kConverges);
}

TEST_CASE("a message that is not sealed under the fleet's key changes nothing") {
  hold(FleetInvariant::kForeign);
}

TEST_CASE("a replay applies nothing twice") {
  hold(FleetInvariant::kReplay);
}

TEST_CASE("an old pulse never makes a host current") {
  hold(FleetInvariant::kOldPulse);
}

TEST_CASE("sets, tables and queues stay within what was ordered") {
  hold(FleetInvariant::kBounded);
}

}  // namespace
}  // namespace claimsd::sim

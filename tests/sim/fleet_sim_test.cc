// The fleet in simulated histories, one test case for each invariant. CLAIMSD_FLEET_HISTORIES sets
// how many; CLAIMSD_FLEET_SEED the first seed. The hidden test case checks all at once: ./dev sim.
#include <cstdlib>
#include <string>

#include "tests/sim/fleet_model.h"
#include "tests/support/catch.h"

namespace claimsd::sim {
namespace {

std::uint64_t number_in(const char* name, std::uint64_t otherwise) {
  const char* const text = std::getenv(name);
  return text == nullptr ? otherwise : std::stoull(text);
}

void hold(FleetInvariant invariant) {
  const std::uint64_t histories = number_in("CLAIMSD_FLEET_HISTORIES", 60);
  const std::uint64_t first = number_in("CLAIMSD_FLEET_SEED", 1);
  FleetCoverage coverage;
  for (std::uint64_t seed = first; seed < first + histories; ++seed) {
    const std::string violation = run_fleet({.seed = seed}, invariant, coverage);
    INFO(violation);
    REQUIRE(violation.empty());
  }
  if (histories < 60) return;
  CHECK(coverage.orders > 0);
  CHECK(coverage.everywhere > 0);
  CHECK(coverage.forgotten > 0);
  CHECK(coverage.cuts > 0);
  CHECK(coverage.crashes > 0);
  CHECK(coverage.intrusions > 0);
  CHECK(coverage.replays > 0);
  CHECK(coverage.exchanges > 0);
  CHECK(coverage.joins > 0);
  CHECK(coverage.full > 0);
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

TEST_CASE("all invariants hold in every history", "[.]") {
  hold(FleetInvariant::kAll);
}

}  // namespace
}  // namespace claimsd::sim

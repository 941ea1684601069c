// runner.h: runs many histories of the core and of a fleet on several threads. Each history uses one
// thread.
#pragma once

#include <optional>
#include <vector>

#include "tests/sim/coverage.h"
#include "tests/sim/fleet_model.h"
#include "tests/sim/simulation.h"

namespace claimsd::sim {

struct RunOptions {
  std::uint64_t first_seed = 1;
  std::uint64_t seeds = 1;        // histories of the core
  std::uint64_t fleet_seeds = 0;  // histories of a fleet
  unsigned events = 1000;
  unsigned jobs = 1;
  bool trace = false;
  std::vector<std::string> only;  // invariants to check; empty: all. A part without any is not run
  std::vector<std::string> except;  // invariants to skip
};

struct RunResult {
  Coverage coverage;
  FleetCoverage fleet;
  std::vector<Violation> violations;  // by seed; at most one per history
  double took_seconds = 0;            // for the core
  double fleet_took_seconds = 0;
};

// Stops early after several violations.
RunResult run(const RunOptions& options);

}  // namespace claimsd::sim

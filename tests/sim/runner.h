// runner.h: many histories, over several threads; each history is one thread's alone.
#pragma once

#include <optional>
#include <vector>

#include "tests/sim/coverage.h"
#include "tests/sim/simulation.h"

namespace claimsd::sim {

struct RunOptions {
  std::uint64_t first_seed = 1;
  std::uint64_t seeds = 1;
  unsigned events = 1000;
  unsigned jobs = 1;
  bool trace = false;
  std::vector<std::string> only;    // the invariants that are checked; none: all
  std::vector<std::string> except;  // those that are not
};

struct RunResult {
  Coverage coverage;
  std::vector<Violation> violations;  // by seed; at most one a history
  double took_seconds = 0;
};

// Stops early once there are several violations.
RunResult run(const RunOptions& options);

}  // namespace claimsd::sim

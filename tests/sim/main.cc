// claimsd_sim: runs the real core with a simulated clock, Auth API, store and thousands of clients, and
// the real replicas of a fleet with a simulated Redis and network.
//
// Exit status: 0 no violation, 1 a violation or missing coverage, 2 usage error.
#include <fmt/core.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>

#include "tests/sim/report.h"

namespace claimsd::sim {
namespace {

enum ExitStatus { kHolds = 0, kViolated = 1, kUsage = 2 };

bool is_invariant(std::string_view name) {
  const auto has_name = [&](const auto& invariant) { return invariant.name == name; };
  const auto all = invariants();
  return std::any_of(all.begin(), all.end(), has_name) ||
         std::any_of(kFleetInvariants.begin(), kFleetInvariants.end(), has_name);
}

int main_(int argc, char** argv) {
  RunOptions options;
  std::optional<std::uint64_t> seed;
  std::optional<std::uint64_t> fleet_seeds;
  bool json = false;
  options.seeds = 2000;
  CLI::App app("Simulates the core of claimsd, and fleets, and checks invariants after every step.",
               "claimsd_sim");
  app.add_option("--seeds", options.seeds, "number of histories")->capture_default_str();
  app.add_option("--fleet-seeds", fleet_seeds,
                 "number of histories of a fleet; default: as --seeds");
  app.add_option("--first-seed", options.first_seed, "seed of the first history")
      ->capture_default_str();
  app.add_option("--seed", seed, "run one history, with this seed");
  app.add_option("--events", options.events, "events per history")->capture_default_str();
  app.add_option("--jobs", options.jobs, "threads")->capture_default_str();
  app.add_flag("--trace", options.trace, "print all events (with --seed)");
  app.add_option("--only", options.only, "check only these invariants");
  app.add_option("--except", options.except, "skip these invariants");
  app.add_flag("--json", json, "print one JSON object per line");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? kHolds : kUsage;
  }
  if (seed) {
    options.first_seed = *seed;
    options.seeds = options.jobs = 1;
  }
  options.fleet_seeds = fleet_seeds.value_or(options.seeds);
  for (const auto* const named : {&options.only, &options.except}) {
    for (const std::string& name : *named) {
      if (is_invariant(name)) continue;
      fmt::print(stderr,
                 "claimsd_sim: no such invariant: {}; run claimsd_sim --seeds 1 to list them\n",
                 name);
      return kUsage;
    }
  }
  if (options.trace && options.jobs > 1) options.jobs = 1;
  const RunResult result = run(options);
  fmt::print("{}", json ? as_json(options, result) : as_table(options, result));
  return result.violations.empty() && never_reached(result).empty() ? kHolds : kViolated;
}

}  // namespace
}  // namespace claimsd::sim

int main(int argc, char** argv) {
  return claimsd::sim::main_(argc, argv);
}

#include "tests/sim/runner.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <exception>
#include <mutex>
#include <thread>

namespace claimsd::sim {
namespace {

constexpr std::size_t kEnoughViolations = 5;

bool among(const std::vector<std::string>& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

bool is_checked(const RunOptions& options, std::string_view name) {
  return (options.only.empty() || among(options.only, name)) && !among(options.except, name);
}

std::vector<Invariant> checked_invariants(const RunOptions& options) {
  std::vector<Invariant> checked;
  for (const Invariant& invariant : invariants()) {
    if (is_checked(options, invariant.name)) checked.push_back(invariant);
  }
  return checked;
}

FleetInvariants checked_fleet_invariants(const RunOptions& options) {
  FleetInvariants checked;
  for (std::size_t at = 0; at < kFleetInvariants.size(); ++at)
    checked[at] = is_checked(options, kFleetInvariants.at(at).name);
  return checked;
}

std::optional<Violation> run_one(std::uint64_t seed, const RunOptions& options,
                                 const std::vector<Invariant>& checked, Coverage& coverage) {
  const Scenario scenario = draw_scenario(seed, options.events);
  Simulation simulation(scenario, options.trace, coverage, checked);
  try {
    return simulation.run();
  } catch (const std::exception& thrown) {
    return Violation{seed, simulation.records.step.number, "ports",
                     std::string("exception: ") + thrown.what(), simulation.trace.last()};
  }
}

// The histories of one part, on several threads. `run_seed`: one history, which adds to a coverage.
template <class Cover, class RunSeed>
class Part {
 public:
  Part(const RunOptions& options, std::uint64_t seeds, RunSeed run_seed)
      : first_(options.first_seed), seeds_(seeds), run_seed_(std::move(run_seed)), next_(first_) {}

  // Returns the seconds that it took.
  double run(unsigned jobs, Cover& coverage, std::vector<Violation>& violations) {
    const auto begun = std::chrono::steady_clock::now();
    std::vector<std::thread> threads;
    for (unsigned i = 1; i < jobs; ++i) {
      threads.emplace_back([&] { work(coverage, violations); });
    }
    work(coverage, violations);
    for (std::thread& thread : threads) thread.join();
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count();
  }

 private:
  void work(Cover& coverage, std::vector<Violation>& violations) {
    Cover own;
    std::vector<Violation> found;
    while (!enough_) {
      const std::uint64_t seed = next_.fetch_add(1);
      if (seed - first_ >= seeds_) break;
      if (auto violation = run_seed_(seed, own)) {
        found.push_back(std::move(*violation));
        enough_ = found.size() >= kEnoughViolations;
      }
    }
    const std::lock_guard lock(mutex_);
    coverage.add(own);
    std::move(found.begin(), found.end(), std::back_inserter(violations));
  }

  const std::uint64_t first_;
  const std::uint64_t seeds_;
  const RunSeed run_seed_;
  std::atomic<std::uint64_t> next_;
  std::atomic<bool> enough_ = false;
  std::mutex mutex_;  // guards the results
};

template <class Cover, class RunSeed>
double run_part(const RunOptions& options, std::uint64_t seeds, Cover& coverage,
                std::vector<Violation>& violations, RunSeed run_seed) {
  return Part<Cover, RunSeed>(options, seeds, std::move(run_seed))
      .run(options.jobs, coverage, violations);
}

}  // namespace

RunResult run(const RunOptions& options) {
  RunResult result;
  if (const auto checked = checked_invariants(options); !checked.empty()) {
    result.took_seconds = run_part(options, options.seeds, result.coverage, result.violations,
                                   [&](std::uint64_t seed, Coverage& coverage) {
                                     return run_one(seed, options, checked, coverage);
                                   });
  }
  if (const FleetInvariants checked = checked_fleet_invariants(options); checked.any()) {
    result.fleet_took_seconds =
        run_part(options, options.fleet_seeds, result.fleet, result.violations,
                 [&](std::uint64_t seed, FleetCoverage& coverage) {
                   return run_fleet({.seed = seed, .print = options.trace}, checked, coverage);
                 });
  }
  std::sort(result.violations.begin(), result.violations.end(),
            [](const Violation& a, const Violation& b) { return a.seed < b.seed; });
  return result;
}

}  // namespace claimsd::sim

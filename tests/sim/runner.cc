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

struct Shared {
  explicit Shared(std::uint64_t first) : next(first) {}
  std::atomic<std::uint64_t> next;
  std::atomic<bool> enough = false;
  std::mutex mutex;
  RunResult result;  // guarded by `mutex`
};

bool among(const std::vector<std::string>& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

std::optional<Violation> run_one(std::uint64_t seed, const RunOptions& options,
                                 Coverage& coverage) {
  const Scenario scenario = draw_scenario(seed, options.events);
  std::vector<Invariant> checked;
  for (const Invariant& invariant : invariants()) {
    if (!options.only.empty() && !among(options.only, invariant.name)) continue;
    if (!among(options.except, invariant.name)) checked.push_back(invariant);
  }
  Simulation simulation(scenario, options.trace, coverage, std::move(checked));
  try {
    return simulation.run();
  } catch (const std::exception& thrown) {
    return Violation{seed, simulation.records.step.number, "ports",
                     std::string("exception: ") + thrown.what(), simulation.trace.last()};
  }
}

void work(const RunOptions& options, Shared& shared) {
  Coverage coverage;
  std::vector<Violation> violations;
  while (!shared.enough) {
    const std::uint64_t seed = shared.next.fetch_add(1);
    if (seed - options.first_seed >= options.seeds) break;
    if (auto violation = run_one(seed, options, coverage)) {
      violations.push_back(std::move(*violation));
      shared.enough = violations.size() >= kEnoughViolations;
    }
  }
  const std::lock_guard lock(shared.mutex);
  shared.result.coverage.add(coverage);
  std::move(violations.begin(), violations.end(), std::back_inserter(shared.result.violations));
}

}  // namespace

RunResult run(const RunOptions& options) {
  const auto begun = std::chrono::steady_clock::now();
  Shared shared(options.first_seed);
  std::vector<std::thread> threads;
  for (unsigned i = 1; i < options.jobs; ++i) {
    threads.emplace_back([&] { work(options, shared); });
  }
  work(options, shared);
  for (std::thread& thread : threads) thread.join();
  std::sort(shared.result.violations.begin(), shared.result.violations.end(),
            [](const Violation& a, const Violation& b) { return a.seed < b.seed; });
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begun;
  shared.result.took_seconds = took.count();
  return std::move(shared.result);
}

}  // namespace claimsd::sim

// claimsd_bench: measures what README.md promises, against peers in the same run.
//
// Exit status: 0 all goals hold, 1 a goal failed, 2 usage, 3 a measurement failed.
#include <fmt/core.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <csignal>
#include <filesystem>

#include "tests/bench/benchmarks.h"

namespace claimsd::bench {
namespace {

enum ExitStatus { kHolds = 0, kDoesNotHold = 1, kUsage = 2, kNotMeasured = 3 };

constexpr timespec kLook{.tv_sec = 0, .tv_nsec = 100'000'000};  // whether a benchmark has ended

struct Options {
  std::vector<std::string> names;
  std::string daemon;
  int rounds = Plan{}.rounds;
  bool json = false;
  bool list = false;
};

// The daemon in the build directory, relative to this program.
std::string default_daemon() {
  std::error_code ignored;
  const auto self = std::filesystem::read_symlink("/proc/self/exe", ignored);
  return (self.parent_path() / "../../daemon/claimsd").lexically_normal().string();
}

void list() {
  for (const Benchmark& benchmark : benchmarks()) {
    fmt::print("{:<16}{}\n", benchmark.name, benchmark.what);
    for (const Goal& goal : benchmark.goals)
      fmt::print("{:<16}  {} {}\n", "", goal.peer, goal.text());
  }
}

ExitStatus run_one(const Benchmark& benchmark, const Bench& bench, bool json) {
  const auto measurement = benchmark.run(bench);
  if (!measurement) {
    fmt::print(stderr, "claimsd_bench: {}: {}\n", benchmark.name, measurement.error().message);
    return kNotMeasured;
  }
  const std::vector<Finding> findings =
      judge(benchmark.name, benchmark.unit, benchmark.goals, *measurement);
  if (json) {
    for (const Finding& finding : findings) fmt::print("{}\n", to_json(finding));
  } else {
    fmt::print("{}\n", to_table(benchmark.name, benchmark.what, findings, *measurement));
  }
  std::fflush(stdout);
  const std::string noise = noise_warning(*measurement);
  if (!noise.empty()) fmt::print(stderr, "claimsd_bench: {}: {}\n", benchmark.name, noise);
  const bool all = std::all_of(findings.begin(), findings.end(),
                               [](const Finding& finding) { return finding.holds; });
  return all ? kHolds : kDoesNotHold;
}

// In a process of its own, which does not have the memory of the benchmarks before it.
int run_apart(const Benchmark& benchmark, const Bench& bench, bool json) {
  std::fflush(stdout);
  const pid_t child = ::fork();
  if (child == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGTERM);
    ::_exit(run_one(benchmark, bench, json));
  }
  int status = 0;
  while (child > 0 && ::waitpid(child, &status, WNOHANG) == 0) {
    if (bench.interrupt.requested_within(kLook)) ::kill(child, SIGTERM);
  }
  return child > 0 && WIFEXITED(status) ? WEXITSTATUS(status) : kNotMeasured;
}

bool chosen(const Options& options, const Benchmark& benchmark) {
  const auto& names = options.names;
  return names.empty() || std::find(names.begin(), names.end(), benchmark.name) != names.end();
}

int run(const Options& options) {
  std::signal(SIGPIPE, SIG_IGN);
  Interrupt interrupt;
  const Bench bench{.daemon = options.daemon, .rounds = options.rounds, .interrupt = interrupt};
  int worst = kHolds;
  for (const Benchmark& benchmark : benchmarks()) {
    if (!chosen(options, benchmark)) continue;
    worst = std::max(worst, run_apart(benchmark, bench, options.json));
    if (interrupt.requested()) break;
  }
  return worst;
}

}  // namespace
}  // namespace claimsd::bench

int main(int argc, char** argv) {
  using namespace claimsd::bench;
  Options options{.names = {}, .daemon = default_daemon()};
  std::vector<std::string> known;
  for (const Benchmark& benchmark : benchmarks()) known.emplace_back(benchmark.name);

  CLI::App app("Compares claimsd with its floor and its peers, all in one run.", "claimsd_bench");
  app.add_option("NAME", options.names, "benchmarks to run; all by default")
      ->check(CLI::IsMember(known));
  app.add_option("--daemon", options.daemon, "binary of the daemon")->capture_default_str();
  app.add_option("--rounds", options.rounds, "rounds of 20,000 round trips")
      ->check(CLI::Range(1, 100))
      ->capture_default_str();
  app.add_flag("--json", options.json, "print one JSON object per goal and line");
  app.add_flag("--list", options.list, "list the benchmarks and exit");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? kHolds : kUsage;
  }
  if (options.list) {
    list();
    return kHolds;
  }
  return run(options);
}

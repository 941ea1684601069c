#include "tests/sim/report.h"

#include <fmt/core.h>

#include "daemon/base/json_writer.h"

namespace claimsd::sim {
namespace {

// From this number of histories on, every coverage row must be reached.
constexpr std::uint64_t kEnoughHistories = 1000;

std::string name_of(const CoverageRow& row) {
  return row.more.empty() ? std::string(row.name) : fmt::format("{} by {}", row.name, row.more);
}

}  // namespace

std::vector<CoverageRow> never_reached(const RunResult& result) {
  std::vector<CoverageRow> missing;
  if (result.coverage.histories < kEnoughHistories) return missing;
  for (const CoverageRow& row : result.coverage.rows()) {
    if (row.count == 0) missing.push_back(row);
  }
  return missing;
}

std::string as_table(const RunOptions& options, const RunResult& result) {
  std::string text;
  for (const CoverageRow& row : result.coverage.rows()) {
    text += fmt::format("{:<8} {:<36} {:>14}\n", row.group, name_of(row), row.count);
  }
  text += "\nchecked after every step:\n";
  for (const Invariant& invariant : invariants()) {
    text += fmt::format("  {:<18} {}\n", invariant.name, invariant.says);
  }
  for (const Violation& violation : result.violations) {
    text += fmt::format(
        "\nseed {}, step {}: {}: {}\n{}replay: ./dev sim --seed {} --events {} --trace\n",
        violation.seed, violation.step, violation.invariant, violation.found, violation.trace,
        violation.seed, options.events);
  }
  for (const CoverageRow& row : never_reached(result)) {
    text += fmt::format("never reached: {} {}\n", row.group, name_of(row));
  }
  const Coverage& coverage = result.coverage;
  text += fmt::format(
      "\nseeds {} to {}: {} histories, {} steps, {} violations, {:.1f} s ({:.0f} "
      "histories/s)\n",
      options.first_seed, options.first_seed + options.seeds - 1, coverage.histories,
      coverage.steps, result.violations.size(), result.took_seconds,
      static_cast<double>(coverage.histories) / result.took_seconds);
  return text;
}

std::string as_json(const RunOptions& options, const RunResult& result) {
  std::string text;
  const auto line = [&](JsonWriter& json) { text += json.end_object().text() + "\n"; };
  for (const CoverageRow& row : result.coverage.rows()) {
    JsonWriter json;
    json.begin_object().member("kind", "coverage").member("group", row.group);
    json.member("name", name_of(row)).member("count", row.count);
    line(json);
  }
  for (const Violation& violation : result.violations) {
    JsonWriter json;
    json.begin_object().member("kind", "violation").member("seed", violation.seed);
    json.member("step", violation.step).member("invariant", violation.invariant);
    json.member("found", violation.found).member("trace", violation.trace);
    line(json);
  }
  JsonWriter json;
  json.begin_object().member("kind", "run").member("first_seed", options.first_seed);
  json.member("histories", result.coverage.histories).member("steps", result.coverage.steps);
  json.member("events", std::uint64_t{options.events}).member("seconds", result.took_seconds);
  json.member("violations", std::uint64_t{result.violations.size()});
  json.member("never_reached", std::uint64_t{never_reached(result).size()});
  line(json);
  return text;
}

}  // namespace claimsd::sim

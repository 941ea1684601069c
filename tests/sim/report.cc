#include "tests/sim/report.h"

#include <fmt/core.h>

#include "daemon/base/json_writer.h"

namespace claimsd::sim {
namespace {

// From this number of histories on, every coverage row must be reached.
constexpr std::uint64_t kEnoughHistories = 1000;
constexpr std::string_view kFleetGroup = "fleet";

std::string name_of(const CoverageRow& row) {
  return row.more.empty() ? std::string(row.name) : fmt::format("{} by {}", row.name, row.more);
}

// Of the parts that ran.
std::vector<CoverageRow> rows_of(const RunResult& result) {
  std::vector<CoverageRow> rows;
  if (result.coverage.histories > 0) rows = result.coverage.rows();
  if (result.fleet.histories == 0) return rows;
  for (const auto& [name, count] : result.fleet.rows())
    rows.push_back({.group = kFleetGroup, .name = name, .more = {}, .count = count});
  return rows;
}

}  // namespace

std::vector<std::string> never_reached(const RunResult& result) {
  std::vector<std::string> missing;
  for (const CoverageRow& row : rows_of(result)) {
    const bool is_fleet = row.group == kFleetGroup;
    const std::uint64_t histories = is_fleet ? result.fleet.histories : result.coverage.histories;
    if (row.count == 0 && histories >= kEnoughHistories)
      missing.push_back(fmt::format("{} {}", row.group, name_of(row)));
  }
  return missing;
}

namespace {

// One line; "" if no history ran.
template <class Cover>
std::string summary(const RunOptions& options, std::string_view part, const Cover& coverage,
                    double took_seconds) {
  if (coverage.histories == 0) return {};
  return fmt::format("{}: seeds {} to {}: {} histories, {} steps, {:.1f} s ({:.0f} histories/s)\n",
                     part, options.first_seed, options.first_seed + coverage.histories - 1,
                     coverage.histories, coverage.steps, took_seconds,
                     static_cast<double>(coverage.histories) / took_seconds);
}

std::string replay_of(const RunOptions& options, const Violation& violation) {
  const bool is_fleet = violation.invariant.starts_with("fleet_");
  return is_fleet ? fmt::format("./dev sim --seed {} --only {} --trace", violation.seed,
                                violation.invariant)
                  : fmt::format("./dev sim --seed {} --events {} --trace", violation.seed,
                                options.events);
}

template <class Cover>
std::string json_of_run(const RunOptions& options, std::string_view part, const Cover& coverage,
                        double took_seconds, const RunResult& result) {
  JsonWriter json;
  json.begin_object().member("kind", "run").member("part", part);
  json.member("first_seed", options.first_seed);
  json.member("histories", coverage.histories).member("steps", coverage.steps);
  json.member("events", std::uint64_t{options.events}).member("seconds", took_seconds);
  json.member("violations", std::uint64_t{result.violations.size()});
  json.member("never_reached", std::uint64_t{never_reached(result).size()});
  return json.end_object().text() + "\n";
}

}  // namespace

std::string as_table(const RunOptions& options, const RunResult& result) {
  std::string text;
  for (const CoverageRow& row : rows_of(result)) {
    text += fmt::format("{:<8} {:<36} {:>14}\n", row.group, name_of(row), row.count);
  }
  text += "\nchecked after every step:\n";
  for (const Invariant& invariant : invariants()) {
    text += fmt::format("  {:<18} {}\n", invariant.name, invariant.says);
  }
  for (const FleetInvariantRow& invariant : kFleetInvariants) {
    text += fmt::format("  {:<18} {}\n", invariant.name, invariant.says);
  }
  for (const Violation& violation : result.violations) {
    text += fmt::format("\nseed {}, step {}: {}: {}\n{}replay: {}\n", violation.seed,
                        violation.step, violation.invariant, violation.found, violation.trace,
                        replay_of(options, violation));
  }
  for (const std::string& what : never_reached(result)) text += "never reached: " + what + "\n";
  text += "\n" + summary(options, "core", result.coverage, result.took_seconds);
  text += summary(options, "fleet", result.fleet, result.fleet_took_seconds);
  return text + fmt::format("{} violations\n", result.violations.size());
}

std::string as_json(const RunOptions& options, const RunResult& result) {
  std::string text;
  const auto line = [&](JsonWriter& json) { text += json.end_object().text() + "\n"; };
  for (const CoverageRow& row : rows_of(result)) {
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
  text += json_of_run(options, "core", result.coverage, result.took_seconds, result);
  return text + json_of_run(options, "fleet", result.fleet, result.fleet_took_seconds, result);
}

}  // namespace claimsd::sim

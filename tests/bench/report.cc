#include "tests/bench/report.h"

#include <fmt/core.h>

#include <algorithm>

namespace claimsd::bench {
namespace {

// On a quiet machine rounds differ by a few percent.
constexpr double kNoisy = 0.15;

const Figure* find(const std::vector<Figure>& figures, std::string_view name) {
  const auto at = std::find_if(figures.begin(), figures.end(),
                               [&](const Figure& figure) { return figure.name == name; });
  return at == figures.end() ? nullptr : &*at;
}

std::string figure_row(const Figure& figure) {
  // Figures below a microsecond are printed with nanosecond precision.
  std::string row =
      fmt::format("  {:<15}{:>9.{}f}", figure.name, figure.value, figure.value < 1 ? 3 : 2);
  row += figure.p99 > 0 ? fmt::format("{:>10.2f}", figure.p99) : fmt::format("{:>10}", "");
  return row + fmt::format("{:>8.0f} %", figure.spread * 100);
}

std::string peer_row(const Figure& subject, const Figure& peer, const Finding* finding) {
  if (finding == nullptr)
    return fmt::format("{}{:>8.2f}\n", figure_row(peer), subject.value / peer.value);
  return fmt::format("{}{:>8.2f}   {:<8}{}\n", figure_row(peer), finding->ratio, finding->goal,
                     finding->holds ? "ok" : "FAILED");
}

std::string beside_table(const std::vector<Measurement::Beside>& beside) {
  std::string text;
  for (const auto& [regime, figures] : beside) {
    if (text.empty()) {
      text = fmt::format("  {:<24}", "for information");
      for (const Figure& figure : figures) text += fmt::format("{:>10}", figure.name);
      text += '\n';
    }
    text += fmt::format("  {:<24}", regime);
    for (const Figure& figure : figures) text += fmt::format("{:>10.2f}", figure.value);
    text += '\n';
  }
  return text;
}

}  // namespace

std::string Goal::text() const {
  const std::string_view sign = bound == Bound::kAtMost  ? "<="
                                : bound == Bound::kBelow ? "<"
                                                         : ">=";
  return fmt::format("{} {:g}", sign, limit);
}

bool Goal::holds(double measured) const {
  switch (bound) {
    case Bound::kAtMost: return measured <= limit;
    case Bound::kBelow: return measured < limit;
    case Bound::kAtLeast: return measured >= limit;
  }
  return false;
}

std::vector<Finding> judge(std::string_view name, std::string_view unit,
                           std::span<const Goal> goals, const Measurement& measurement) {
  std::vector<Finding> findings;
  const double value = measurement.subject.value;
  for (const Goal& goal : goals) {
    const Figure* peer = find(measurement.peers, goal.peer);
    const double theirs = peer == nullptr ? 0 : peer->value;
    const bool measured = value > 0 && theirs > 0;
    const double ratio = !measured                        ? 0
                         : goal.ratio == Ratio::kOverPeer ? value / theirs
                                                          : theirs / value;
    findings.push_back({.name = std::string(name),
                        .value = value,
                        .unit = std::string(unit),
                        .peer = std::string(goal.peer),
                        .peer_value = theirs,
                        .ratio = ratio,
                        .goal = goal.text(),
                        .holds = measured && goal.holds(ratio)});
  }
  return findings;
}

std::string to_json(const Finding& finding) {
  // Names and goals are our own and need no JSON escaping.
  return fmt::format(R"({{"name":"{}","value":{:.4f},"unit":"{}","peer":"{}","peer_value":{:.4f},)"
                     R"("ratio":{:.3f},"goal":"{}","holds":{}}})",
                     finding.name, finding.value, finding.unit, finding.peer, finding.peer_value,
                     finding.ratio, finding.goal, finding.holds);
}

std::string to_table(std::string_view name, std::string_view what,
                     std::span<const Finding> findings, const Measurement& measurement) {
  const std::string unit = findings.empty() ? "" : findings.front().unit;
  std::string text = fmt::format("{}: {}\n  {:<15}{:>9}{:>10}{:>10}{:>8}   goal\n", name, what, "",
                                 unit, "p99", "spread", "ratio");
  text += figure_row(measurement.subject) + '\n';
  for (const Figure& peer : measurement.peers) {
    const auto at = std::find_if(findings.begin(), findings.end(),
                                 [&](const Finding& finding) { return finding.peer == peer.name; });
    text += peer_row(measurement.subject, peer, at == findings.end() ? nullptr : &*at);
  }
  return text + beside_table(measurement.beside);
}

std::string noise_warning(const Measurement& measurement) {
  std::string names;
  const auto look = [&](const Figure& figure) {
    if (figure.spread <= kNoisy) return;
    names +=
        fmt::format("{}{} {:.0f} %", names.empty() ? "" : ", ", figure.name, figure.spread * 100);
  };
  look(measurement.subject);
  for (const Figure& peer : measurement.peers) look(peer);
  if (names.empty()) return {};
  return fmt::format(
      "the rounds differ widely ({}) because other processes were running: run the benchmark "
      "again on a quiet machine",
      names);
}

}  // namespace claimsd::bench

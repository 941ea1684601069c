// report.h: compares a measurement with its goals, as a table for people and as one JSON object per
// line for programs. Pure.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tests/bench/measure.h"

namespace claimsd::bench {

// The result of one benchmark, in the regime of its goals and in the others.
struct Measurement {
  Figure subject;
  std::vector<Figure> peers;
  // Parts of a figure, or the same figures in other regimes: for information.
  struct Beside {
    std::string regime;
    std::vector<Figure> figures;
  };
  std::vector<Beside> beside;
};

enum class Bound : unsigned char { kAtMost, kBelow, kAtLeast };
enum class Ratio : unsigned char {
  kOverPeer,   // value / peer: "costs 1.2 times the ping-pong"
  kUnderPeer,  // peer / value: "is 60 times faster than Redis"
};

// One promise: the subject's figure relative to one peer's.
struct Goal {
  std::string_view peer;
  Ratio ratio;
  Bound bound;
  double limit;

  std::string text() const;  // "<= 1.3"
  bool holds(double measured) const;
};

struct Finding {
  std::string name;
  double value;
  std::string unit;
  std::string peer;
  double peer_value;
  double ratio;
  std::string goal;
  bool holds;
};

// One finding per goal. A goal whose peer was not measured fails.
std::vector<Finding> judge(std::string_view name, std::string_view unit,
                           std::span<const Goal> goals, const Measurement& measurement);

std::string to_json(const Finding& finding);

std::string to_table(std::string_view name, std::string_view what,
                     std::span<const Finding> findings, const Measurement& measurement);

// Names the figures that varied too much because the machine was busy; empty if none did.
std::string noise_warning(const Measurement& measurement);

}  // namespace claimsd::bench

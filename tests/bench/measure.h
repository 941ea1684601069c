// measure.h: asks several contenders in turn and says how long each took.
//
// In turn by small blocks (A B C, A B C, …): whatever else the machine does then falls on all
// alike. A contender's figure is the median over the rounds of each round's mean, the slowest few
// round trips left out (stats.h says why); its p99, of all of them, is the median of the rounds'
// p99.
#pragma once

#include <string>
#include <vector>

#include "tests/bench/contender.h"
#include "tests/bench/interrupt.h"

namespace claimsd::bench {

struct Plan {
  int rounds = 7;
  int blocks = 40;      // a round
  int per_block = 500;  // round trips
  int warm_up = 2000;   // round trips, once
  double kept = 0.95;   // the share of a round that its mean is taken of: the fastest

  int per_round() const { return blocks * per_block; }
};

struct Figure {
  std::string name;
  double value = 0;   // microseconds
  double p99 = 0;     // microseconds; 0: not measured
  double spread = 0;  // of the rounds, 0.1 is ten percent
};

Result<std::vector<Figure>> measure(const std::vector<Contender*>& contenders, const Plan& plan,
                                    Interrupt& interrupt);

}  // namespace claimsd::bench

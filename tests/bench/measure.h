// measure.h: runs several contenders in turn and measures each.
//
// They alternate in small blocks (A B C, A B C, …), so that other load on the machine affects all
// alike. A contender's figure is the median over the rounds of the trimmed mean of each round
// (reason: stats.h); its p99 is the median of the rounds' p99 over all round trips.
#pragma once

#include <string>
#include <vector>

#include "tests/bench/contender.h"
#include "tests/bench/interrupt.h"

namespace claimsd::bench {

struct Plan {
  int rounds = 7;
  int blocks = 40;      // per round
  int per_block = 500;  // round trips
  int warm_up = 2000;   // round trips, once
  double kept = 0.95;   // the fastest share of a round, used for its mean

  int per_round() const { return blocks * per_block; }
};

struct Figure {
  std::string name;
  double value = 0;   // microseconds
  double p99 = 0;     // microseconds; 0: not measured
  double spread = 0;  // between rounds; 0.1 is ten percent
};

Result<std::vector<Figure>> measure(const std::vector<Contender*>& contenders, const Plan& plan,
                                    Interrupt& interrupt);

}  // namespace claimsd::bench

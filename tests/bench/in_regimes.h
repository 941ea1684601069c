// in_regimes.h: runs the contenders in the regime of the goals, then briefly in the others for
// information.
#pragma once

#include <vector>

#include "tests/bench/peers.h"
#include "tests/bench/regime.h"
#include "tests/bench/report.h"

namespace claimsd::bench {

struct InRegimes {
  std::vector<Figure> judged;               // kOneCore
  std::vector<Measurement::Beside> beside;  // the other regimes, if there are two cores
};

Result<InRegimes> measure_in_regimes(const std::vector<ContenderPtr>& contenders, const Plan& plan,
                                     Interrupt& interrupt);

}  // namespace claimsd::bench

#include "tests/bench/in_regimes.h"

#include <algorithm>

namespace claimsd::bench {
namespace {

Result<std::vector<Figure>> measure_in(Regime regime, const Cores& cores,
                                       const std::vector<Contender*>& contenders, const Plan& plan,
                                       Interrupt& interrupt) {
  std::vector<pid_t> servers;
  for (const Contender* contender : contenders) {
    for (const pid_t server : contender->servers()) servers.push_back(server);
  }
  const Placement placement = TRY(Placement::apply(regime, cores, servers));
  return measure(contenders, plan, interrupt);
}

// Enough for the order of magnitude; idle cores take five times as long.
Plan shortened(const Plan& plan) {
  return {.rounds = std::min(plan.rounds, 3),
          .blocks = 4,
          .per_block = std::min(plan.per_block, 250),
          .warm_up = std::min(plan.warm_up, 200),
          .kept = plan.kept};
}

}  // namespace

Result<InRegimes> measure_in_regimes(const std::vector<ContenderPtr>& contenders, const Plan& plan,
                                     Interrupt& interrupt) {
  const Cores all = TRY(Cores::available());
  std::vector<Contender*> these;
  for (const ContenderPtr& contender : contenders) these.push_back(contender.get());

  InRegimes result;
  result.judged = TRY(measure_in(Regime::kOneCore, all, these, plan, interrupt));
  for (const Regime regime : {Regime::kTwoAwake, Regime::kIdle}) {
    if (!all.two()) break;
    auto figures = TRY(measure_in(regime, all, these, shortened(plan), interrupt));
    result.beside.push_back(
        {.regime = std::string(text_of(regime)), .figures = std::move(figures)});
  }
  return result;
}

}  // namespace claimsd::bench

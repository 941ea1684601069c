#include "tests/bench/measure.h"

#include <fmt/core.h>

#include <chrono>

#include "tests/bench/stats.h"

namespace claimsd::bench {
namespace {

using Samples = std::vector<double>;

struct Rounds {
  Samples means;
  Samples p99s;
};

Result<double> time_one(Contender& contender) {
  using Clock = std::chrono::steady_clock;
  TRY(contender.prepare());
  const Clock::time_point start = Clock::now();
  const Status asked = contender.query();
  const Clock::time_point end = Clock::now();
  TRY(asked);
  TRY(contender.check());
  return std::chrono::duration<double, std::micro>(end - start).count() /
         contender.answers_per_ask();
}

Status run_block(Contender& contender, int count, Samples& samples, Interrupt& interrupt) {
  if (interrupt.requested()) return failure("interrupted");
  for (int i = 0; i < count; ++i) {
    auto took = time_one(contender);
    if (!took) return failure(fmt::format("{}: {}", contender.name(), took.error().message));
    samples.push_back(*took);
  }
  return {};
}

Status run_round(const std::vector<Contender*>& contenders, const Plan& plan, Interrupt& interrupt,
                 std::vector<Rounds>& rounds) {
  std::vector<Samples> samples(contenders.size());
  for (Samples& each : samples) each.reserve(static_cast<std::size_t>(plan.per_round()));
  for (Contender* contender : contenders) TRY(contender->begin_round());
  for (int block = 0; block < plan.blocks; ++block) {
    for (std::size_t i = 0; i < contenders.size(); ++i) {
      TRY(run_block(*contenders[i], plan.per_block, samples[i], interrupt));
    }
  }
  for (std::size_t i = 0; i < contenders.size(); ++i) {
    rounds[i].means.push_back(trimmed_mean(samples[i], plan.kept));
    rounds[i].p99s.push_back(percentile(samples[i], 0.99));
  }
  return {};
}

}  // namespace

Result<std::vector<Figure>> measure(const std::vector<Contender*>& contenders, const Plan& plan,
                                    Interrupt& interrupt) {
  for (Contender* contender : contenders) {
    Samples unused;
    TRY(contender->begin_round());
    TRY(run_block(*contender, plan.warm_up, unused, interrupt));
  }
  std::vector<Rounds> rounds(contenders.size());
  for (int round = 0; round < plan.rounds; ++round) {
    TRY(run_round(contenders, plan, interrupt, rounds));
  }
  std::vector<Figure> figures;
  for (std::size_t i = 0; i < contenders.size(); ++i) {
    figures.push_back({.name = contenders[i]->name(),
                       .value = median(rounds[i].means),
                       .p99 = median(rounds[i].p99s),
                       .spread = spread(rounds[i].means)});
  }
  return figures;
}

}  // namespace claimsd::bench

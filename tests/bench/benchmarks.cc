#include "tests/bench/benchmarks.h"

#include <array>

namespace claimsd::bench {
namespace {

// clang-format off
constexpr std::array kHitSocketGoals{
    Goal{"pingpong",  Ratio::kOverPeer, Bound::kAtMost, 1.3},
    Goal{"redis",     Ratio::kOverPeer, Bound::kBelow,  1},
    Goal{"memcached", Ratio::kOverPeer, Bound::kBelow,  1},
    Goal{"nginx",     Ratio::kOverPeer, Bound::kBelow,  1},
};
constexpr std::array kMissOverheadGoals{
    Goal{"pingpong",  Ratio::kOverPeer, Bound::kAtMost, 3},
};

constexpr std::array kAuditRateGoals{
    Goal{"one each", Ratio::kUnderPeer, Bound::kAtLeast, 10},
};

constexpr std::array kBenchmarks{
    Benchmark{"hit_socket",
              "a token that the daemon knows, asked over its socket; both sides on one core",
              "us", kHitSocketGoals, run_hit_socket},
    Benchmark{"miss_overhead",
              "what a miss adds to asking the Auth API oneself; all sides on one core",
              "us", kMissOverheadGoals, run_miss_overhead},
    Benchmark{"audit_rate",
              "a durable audit record when many wait at once, against a transaction each; one disk",
              "us", kAuditRateGoals, run_audit_rate},
};
// clang-format on

}  // namespace

std::span<const Benchmark> benchmarks() {
  return kBenchmarks;
}

}  // namespace claimsd::bench

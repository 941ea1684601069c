#include "tests/bench/benchmarks.h"

#include <array>

namespace claimsd::bench {
namespace {

// clang-format off
constexpr std::array kHitLocalGoals{
    Goal{"floor",     Ratio::kOverPeer,  Bound::kAtMost,  2.5},
    Goal{"redis",     Ratio::kUnderPeer, Bound::kAtLeast, 60},
    Goal{"memcached", Ratio::kUnderPeer, Bound::kAtLeast, 40},
};
constexpr std::array kHitSharedGoals{
    Goal{"floor",     Ratio::kOverPeer,  Bound::kAtMost,  1.3},
    Goal{"redis",     Ratio::kUnderPeer, Bound::kAtLeast, 6},
};
constexpr std::array kHitSharedTwoGoals{
    Goal{"one",       Ratio::kUnderPeer, Bound::kAtLeast, 1.8},
};
constexpr std::array kHitSocketGoals{
    Goal{"pingpong",  Ratio::kOverPeer, Bound::kAtMost, 1.3},
    Goal{"redis",     Ratio::kOverPeer, Bound::kBelow,  1},
    Goal{"memcached", Ratio::kOverPeer, Bound::kBelow,  1},
    Goal{"nginx",     Ratio::kOverPeer, Bound::kBelow,  1},
};
constexpr std::array kHitFloodedGoals{
    Goal{"quiet",     Ratio::kOverPeer, Bound::kAtMost, 2},
};
constexpr std::array kMillionGoals{
    Goal{"thousand",  Ratio::kOverPeer, Bound::kAtMost, 1.5},
};
constexpr std::array kMissOverheadGoals{
    Goal{"pingpong",  Ratio::kOverPeer, Bound::kAtMost, 3},
};

constexpr std::array kAuditRateGoals{
    Goal{"one each", Ratio::kUnderPeer, Bound::kAtLeast, 10},
};
constexpr std::array kAuditSearchGoals{
    Goal{"scan", Ratio::kUnderPeer, Bound::kAtLeast, 100},
};
constexpr std::array kAuditVerifyGoals{
    Goal{"hash", Ratio::kOverPeer, Bound::kAtMost, 3},
};
constexpr std::array kAuditMemoryGoals{
    Goal{"thousand", Ratio::kOverPeer, Bound::kAtMost, 1.5},
};

constexpr std::array kBenchmarks{
    Benchmark{"hit_local",
              "a token that this process has seen; the peers' two sides on one core",
              "us", kHitLocalGoals, run_hit_local},
    Benchmark{"hit_shared",
              "a token that another process has seen; the peers' two sides on one core",
              "us", kHitSharedGoals, run_hit_shared},
    Benchmark{"hit_shared_two",
              "the same by two processes at once, a core each: microseconds a hit of both together",
              "us", kHitSharedTwoGoals, run_hit_shared_two},
    Benchmark{"hit_socket",
              "a token that the daemon knows, asked over its socket; both sides on one core",
              "us", kHitSocketGoals, run_hit_socket},
    Benchmark{"hit_flooded",
              "the p99 of a hit over the socket while another process floods the daemon with junk",
              "us", kHitFloodedGoals, run_hit_flooded},
    Benchmark{"hit_audited",
              "the same while each answer to that junk waits for its record on a disk, whose writer never rests",
              "us", kHitFloodedGoals, run_hit_audited},
    Benchmark{"hit_socket_million",
              "a token out of a million that the daemon knows, over its socket, against out of a thousand",
              "us", kMillionGoals, run_hit_socket_million},
    Benchmark{"hit_shared_million",
              "a lease in a map of 65,536 slots, a million entries behind it, against out of a thousand",
              "us", kMillionGoals, run_hit_shared_million},
    Benchmark{"miss_overhead",
              "what a miss adds to asking the Auth API oneself; all sides on one core",
              "us", kMissOverheadGoals, run_miss_overhead},
    Benchmark{"audit_rate",
              "a durable audit record when many wait at once, against a transaction each; one disk",
              "us", kAuditRateGoals, run_audit_rate},
    Benchmark{"audit_search",
              "the ten records of a user among a million in the audit log, against reading all of them",
              "us", kAuditSearchGoals, run_audit_search},
    Benchmark{"audit_verify",
              "verifying a million audit records, against hashing the same bytes",
              "us", kAuditVerifyGoals, run_audit_verify},
    Benchmark{"audit_memory",
              "memory of its own that verifying and searching a million audit records takes, against a thousand",
              "KiB", kAuditMemoryGoals, run_audit_memory},
};
// clang-format on

}  // namespace

std::span<const Benchmark> benchmarks() {
  return kBenchmarks;
}

}  // namespace claimsd::bench

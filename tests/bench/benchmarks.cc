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
constexpr std::array kMemoryGoals{
    Goal{"1 KiB", Ratio::kOverPeer, Bound::kAtMost, 1},
};
constexpr std::array kFrontDoorGoals{
    Goal{"50,000/s",     Ratio::kOverPeer, Bound::kAtMost, 1},
};
constexpr std::array kFrontDoorNginxGoals{
    Goal{"return 204",   Ratio::kUnderPeer, Bound::kAtLeast, 0.75},
};
constexpr std::array kFrontDoorP99Goals{
    Goal{"300 us",       Ratio::kOverPeer, Bound::kAtMost, 1},
};
constexpr std::array kFrontDoorBesideGoals{
    Goal{"other daemon", Ratio::kOverPeer, Bound::kAtMost, 1.3},
};
constexpr std::array kMissTlsGoals{
    Goal{"bare_curl", Ratio::kOverPeer, Bound::kAtMost, 1.25},
};

constexpr std::array kRecoveryGoals{
    Goal{"2 timeouts", Ratio::kOverPeer,  Bound::kAtMost,  1},
    Goal{"pinned",     Ratio::kUnderPeer, Bound::kAtLeast, 4},
};
constexpr std::array kFleetGoals{
    Goal{"250 ms", Ratio::kOverPeer, Bound::kAtMost, 1},
};
constexpr std::array kFleetSyncGoals{
    Goal{"5 s", Ratio::kOverPeer, Bound::kAtMost, 1},
};
constexpr std::array kFleetHungGoals{
    Goal{"connected", Ratio::kOverPeer, Bound::kAtMost, 1.05},
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
              "hit in this process' own table; client and server of each peer on one core",
              "us", kHitLocalGoals, run_hit_local},
    Benchmark{"hit_shared",
              "hit in shared memory; client and server of each peer on one core",
              "us", kHitSharedGoals, run_hit_shared},
    Benchmark{"hit_shared_two",
              "hits in shared memory by two processes, one core each: microseconds per hit of both together",
              "us", kHitSharedTwoGoals, run_hit_shared_two},
    Benchmark{"hit_socket",
              "hit in the daemon's cache over its socket; both sides on one core",
              "us", kHitSocketGoals, run_hit_socket},
    Benchmark{"hit_flooded",
              "p99 of a hit over the socket while another process floods the daemon with junk tokens",
              "us", kHitFloodedGoals, run_hit_flooded},
    Benchmark{"hit_audited",
              "as hit_flooded, but each answer to a junk token waits for its audit record on disk",
              "us", kHitFloodedGoals, run_hit_audited},
    Benchmark{"hit_socket_million",
              "hit over the socket with a million entries in the cache, compared with a thousand",
              "us", kMillionGoals, run_hit_socket_million},
    Benchmark{"hit_shared_million",
              "hit in shared memory (65,536 slots) with a million entries in the cache, compared with a thousand",
              "us", kMillionGoals, run_hit_shared_million},
    Benchmark{"memory_million",
              "memory for each of a million entries with 300 bytes of claims, pages of the file included",
              "B", kMemoryGoals, run_memory_million},
    Benchmark{"front_door",
              "check over the HTTP socket on kept connections: CPU time of the daemon, all threads",
              "us", kFrontDoorGoals, run_front_door},
    Benchmark{"front_door_nginx",
              "request through nginx with auth_request to claimsd, compared with one to a return 204 of another nginx; one core",
              "us", kFrontDoorNginxGoals, run_front_door_nginx},
    Benchmark{"front_door_p99",
              "p99 that claimsd adds there, compared with return 204",
              "us", kFrontDoorP99Goals, run_front_door_p99},
    Benchmark{"front_door_beside",
              "p99 of a hit over the claims socket beside 5,000 HTTP checks per second, compared with the same load on another daemon",
              "us", kFrontDoorBesideGoals, run_front_door_beside},
    Benchmark{"miss_tls",
              "miss, with a request to the Auth API over TLS, compared with the same request by a bare libcurl; all sides on one core",
              "us", kMissTlsGoals, run_miss_tls},
    Benchmark{"recovery",
              "until a lookup is valid again after all kept connections fell silent, compared with a pool that keeps them (up to 20 s)",
              "ms", kRecoveryGoals, run_recovery},
    Benchmark{"fleet",
              "p99 of the time until a revocation is in effect on each of 1,000 simulated hosts, through a real Redis server",
              "ms", kFleetGoals, run_fleet},
    Benchmark{"fleet_sync",
              "until a new host has the 100,000 actions of its fleet and is current",
              "ms", kFleetSyncGoals, run_fleet_sync},
    Benchmark{"fleet_hung",
              "hit over the socket of a host whose Redis server hangs, compared with one whose server runs",
              "us", kFleetHungGoals, run_fleet_hung},
    Benchmark{"audit_rate",
              "durable audit record with group commit, compared with one transaction each; same disk",
              "us", kAuditRateGoals, run_audit_rate},
    Benchmark{"audit_search",
              "search for the ten records of a user in a million, compared with reading all of them",
              "us", kAuditSearchGoals, run_audit_search},
    Benchmark{"audit_verify",
              "verification of a million audit records, compared with hashing the same bytes",
              "us", kAuditVerifyGoals, run_audit_verify},
    Benchmark{"audit_memory",
              "private memory for verifying and searching a million audit records, compared with a thousand",
              "KiB", kAuditMemoryGoals, run_audit_memory},
};
// clang-format on

}  // namespace

std::span<const Benchmark> benchmarks() {
  return kBenchmarks;
}

}  // namespace claimsd::bench

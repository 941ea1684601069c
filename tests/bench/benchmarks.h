// benchmarks.h: the table of benchmarks. A new benchmark is a row in benchmarks.cc and a run
// function in its own file.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "tests/bench/interrupt.h"
#include "tests/bench/report.h"

namespace claimsd::bench {

// The parameters of a run.
struct Bench {
  std::string daemon;  // path of the daemon's binary
  int rounds;
  Interrupt& interrupt;
};

struct Benchmark {
  std::string_view name;
  std::string_view what;
  std::string_view unit;
  std::span<const Goal> goals;
  Result<Measurement> (*run)(const Bench& bench);
};

std::span<const Benchmark> benchmarks();

Result<Measurement> run_hit_local(const Bench& bench);
Result<Measurement> run_hit_shared(const Bench& bench);
Result<Measurement> run_hit_shared_two(const Bench& bench);
Result<Measurement> run_hit_socket(const Bench& bench);
Result<Measurement> run_hit_flooded(const Bench& bench);
Result<Measurement> run_hit_audited(const Bench& bench);
Result<Measurement> run_hit_socket_million(const Bench& bench);
Result<Measurement> run_hit_shared_million(const Bench& bench);
Result<Measurement> run_memory_million(const Bench& bench);
Result<Measurement> run_front_door(const Bench& bench);
Result<Measurement> run_front_door_nginx(const Bench& bench);
Result<Measurement> run_front_door_p99(const Bench& bench);
Result<Measurement> run_front_door_beside(const Bench& bench);
Result<Measurement> run_miss_tls(const Bench& bench);
Result<Measurement> run_recovery(const Bench& bench);
Result<Measurement> run_fleet(const Bench& bench);
Result<Measurement> run_fleet_sync(const Bench& bench);
Result<Measurement> run_fleet_hung(const Bench& bench);
Result<Measurement> run_audit_rate(const Bench& bench);
Result<Measurement> run_audit_search(const Bench& bench);
Result<Measurement> run_audit_verify(const Bench& bench);
Result<Measurement> run_audit_memory(const Bench& bench);

}  // namespace claimsd::bench

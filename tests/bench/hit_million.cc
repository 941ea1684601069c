// hit_socket_million and hit_shared_million: the cost of a hit among a million entries, against a
// thousand. Entries are picked at random, without favorites. memory_million: the memory of each.
#include <fmt/core.h>

#include <filesystem>
#include <utility>

#include "tests/bench/benchmarks.h"
#include "tests/bench/claimsd_daemon.h"
#include "tests/bench/http_stub.h"
#include "tests/bench/in_regimes.h"
#include "tests/bench/process.h"

namespace claimsd::bench {
namespace {

constexpr std::uint64_t kFew = 1'000;
constexpr std::uint64_t kMany = 1'000'000;
// The number whose leases fit the map at the same time: each set has one or two.
constexpr std::uint64_t kLeased = 20'000;

constexpr std::string_view kManyOptions = R"(max_entries = 1200000
max_bytes = "4GiB"
map_slots = 65536
lease = "60s"
ttl_jitter_percent = 0

[limits]
misses_per_uid = 0
)";
constexpr std::string_view kFewOptions = R"(lease = "60s"
ttl_jitter_percent = 0

[limits]
misses_per_uid = 0
)";

Result<Measurement> run_with(const Bench& bench, bool fast) {
  const Scratch few_scratch = TRY(Scratch::make());
  const Scratch many_scratch = TRY(Scratch::make());
  const HttpStub stub = TRY(HttpStub::start());
  const auto path = fast ? Daemon::SharedMemory::kOn : Daemon::SharedMemory::kOff;
  const Daemon few = TRY(Daemon::start(bench.daemon, few_scratch, stub, path, kFewOptions));
  const Daemon many = TRY(Daemon::start(bench.daemon, many_scratch, stub, path, kManyOptions));
  TRY(few.fill(kFew));
  TRY(many.fill(kMany));

  std::vector<ContenderPtr> contenders;
  if (!fast) {
    contenders.push_back(TRY(many.hit_among("million", kMany)));
    contenders.push_back(TRY(few.hit_among("thousand", kFew)));
  } else {
    contenders.push_back(TRY(many.fast_hit_among("million", kLeased)));
    contenders.push_back(TRY(few.fast_hit_among("thousand", kFew)));
  }
  const Plan plan{.rounds = bench.rounds, .blocks = 40, .per_block = 250};
  InRegimes found = TRY(measure_in_regimes(contenders, plan, bench.interrupt));
  return Measurement{.subject = found.judged.at(0),
                     .peers = {found.judged.at(1)},
                     .beside = std::move(found.beside)};
}

Result<double> private_memory_of(pid_t pid) {
  const std::uint64_t kib = private_memory_kib(pid);
  if (kib == 0) return failure("cannot read the daemon's memory from /proc");
  return 1024 * static_cast<double>(kib);
}

}  // namespace

// The pages of the cache's file count in full: like /run it is in memory, and hits map all of it.
Result<Measurement> run_memory_million(const Bench& bench) {
  const Scratch scratch = TRY(Scratch::make());
  const HttpStub stub = TRY(HttpStub::start());
  const Daemon daemon =
      TRY(Daemon::start(bench.daemon, scratch, stub, Daemon::SharedMemory::kOff, kManyOptions));
  const double empty = TRY(private_memory_of(daemon.pid()));
  TRY(daemon.fill(kMany));
  const double heap = TRY(private_memory_of(daemon.pid()))
  -empty;
  std::error_code error;
  const auto file = static_cast<double>(
      std::filesystem::file_size(scratch.path("claims-cache/claims.mdb"), error));
  if (error) return failure("cannot read the size of the cache's file: " + error.message());
  const auto figure = [](std::string name, double bytes) {
    return Figure{.name = std::move(name), .value = bytes, .p99 = 0, .spread = 0};
  };
  return Measurement{
      .subject = figure("each", (heap + file) / kMany),
      .peers = {figure("1 KiB", 1024)},
      .beside = {{.regime = "of each",
                  .figures = {figure("heap", heap / kMany), figure("file", file / kMany)}}}};
}

Result<Measurement> run_hit_socket_million(const Bench& bench) {
  return run_with(bench, false);
}

Result<Measurement> run_hit_shared_million(const Bench& bench) {
  return run_with(bench, true);
}

}  // namespace claimsd::bench

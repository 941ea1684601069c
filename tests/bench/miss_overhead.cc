#include <algorithm>
#include <utility>

#include "tests/bench/benchmarks.h"
#include "tests/bench/claimsd_daemon.h"
#include "tests/bench/http_stub.h"
#include "tests/bench/in_regimes.h"

namespace claimsd::bench {
namespace {

// The order of the contenders.
enum : std::size_t { kMiss, kBare, kPingPong };

}  // namespace

Result<Measurement> run_miss_overhead(const Bench& bench) {
  const Scratch scratch = TRY(Scratch::make());
  const HttpStub stub = TRY(HttpStub::start());
  const Daemon daemon = TRY(
      Daemon::start(bench.daemon, scratch, stub.port, Daemon::SharedMemory::kOff, kNoRateLimit));

  std::vector<ContenderPtr> contenders;
  contenders.push_back(TRY(daemon.miss("claimsd", stub.process.pid())));
  contenders.push_back(TRY(start_bare_curl(stub.port, stub.process.pid())));
  contenders.push_back(TRY(start_pingpong()));

  // Fewer round trips than for hits, so that the cache does not fill up and evict. A smaller share
  // is kept, because a miss changes threads and processes six times, and other programs can get in
  // between.
  const Plan plan{
      .rounds = bench.rounds, .blocks = 40, .per_block = 50, .warm_up = 500, .kept = 0.75};
  InRegimes found = TRY(measure_in_regimes(contenders, plan, bench.interrupt));

  const std::vector<Figure>& judged = found.judged;
  const Figure& miss = judged[kMiss];
  const Figure& bare = judged[kBare];
  Measurement measurement{
      .subject = {.name = "added",
                  .value = miss.value - bare.value,
                  .p99 = 0,
                  .spread = std::max(miss.spread, bare.spread)},
      .peers = {judged[kPingPong]},
      .beside = {{.regime = std::string(text_of(Regime::kOneCore)), .figures = judged}}};
  std::move(found.beside.begin(), found.beside.end(), std::back_inserter(measurement.beside));
  return measurement;
}

}  // namespace claimsd::bench

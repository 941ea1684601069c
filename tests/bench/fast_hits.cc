// hit_local and hit_shared: hits that never reach the daemon, against the same peers.
#include <utility>

#include "tests/bench/benchmarks.h"
#include "tests/bench/claimsd_daemon.h"
#include "tests/bench/floors.h"
#include "tests/bench/http_stub.h"
#include "tests/bench/in_regimes.h"

namespace claimsd::bench {
namespace {

Result<Measurement> run_with(const Bench& bench, FastHit which,
                             Result<ContenderPtr> (*start_floor)()) {
  const Scratch scratch = TRY(Scratch::make());
  const HttpStub stub = TRY(HttpStub::start());
  const Daemon daemon = TRY(Daemon::start(bench.daemon, scratch, stub, Daemon::SharedMemory::kOn));

  std::vector<ContenderPtr> contenders;
  contenders.push_back(TRY(daemon.fast_hit("claimsd", which)));
  contenders.push_back(TRY(start_floor()));
  contenders.push_back(TRY(start_redis(scratch)));
  contenders.push_back(TRY(start_memcached(scratch)));

  const Plan plan{.rounds = bench.rounds};
  InRegimes found = TRY(measure_in_regimes(contenders, plan, bench.interrupt));
  Measurement measurement{
      .subject = found.judged.front(), .peers = {}, .beside = std::move(found.beside)};
  measurement.peers.assign(found.judged.begin() + 1, found.judged.end());
  return measurement;
}

}  // namespace

Result<Measurement> run_hit_local(const Bench& bench) {
  return run_with(bench, FastHit::kLocal, start_floor_local);
}

Result<Measurement> run_hit_shared(const Bench& bench) {
  return run_with(bench, FastHit::kShared, start_floor_shared);
}

}  // namespace claimsd::bench

// miss_tls: a miss, with its request to an Auth API over TLS, compared with the same GET by a bare
// libcurl. Both keep their connection.
#include <utility>

#include "tests/bench/benchmarks.h"
#include "tests/bench/claimsd_daemon.h"
#include "tests/bench/http_stub.h"
#include "tests/bench/in_regimes.h"

namespace claimsd::bench {

Result<Measurement> run_miss_tls(const Bench& bench) {
  const Scratch scratch = TRY(Scratch::make());
  const HttpStub stub = TRY(HttpStub::start_with_tls());
  const Daemon daemon =
      TRY(Daemon::start(bench.daemon, scratch, stub, Daemon::SharedMemory::kOff, kNoRateLimit));

  std::vector<ContenderPtr> contenders;
  contenders.push_back(TRY(daemon.miss("claimsd", stub.process.pid())));
  contenders.push_back(TRY(start_bare_curl(scratch, stub)));

  // Fewer round trips than for hits, so that the cache does not fill up and evict. A smaller share
  // is kept, because a miss changes threads and processes six times, and other programs can get in
  // between.
  const Plan plan{
      .rounds = bench.rounds, .blocks = 40, .per_block = 50, .warm_up = 500, .kept = 0.75};
  InRegimes found = TRY(measure_in_regimes(contenders, plan, bench.interrupt));
  return Measurement{.subject = found.judged.at(0),
                     .peers = {found.judged.at(1)},
                     .beside = std::move(found.beside)};
}

}  // namespace claimsd::bench

#include <utility>

#include "tests/bench/benchmarks.h"
#include "tests/bench/claimsd_daemon.h"
#include "tests/bench/http_stub.h"
#include "tests/bench/in_regimes.h"

namespace claimsd::bench {

Result<Measurement> run_hit_socket(const Bench& bench) {
  const Scratch scratch = TRY(Scratch::make());
  const HttpStub stub = TRY(HttpStub::start());
  const Daemon daemon = TRY(Daemon::start(bench.daemon, scratch, stub));

  std::vector<ContenderPtr> contenders;
  contenders.push_back(TRY(daemon.hit("claimsd")));
  contenders.push_back(TRY(start_pingpong()));
  contenders.push_back(TRY(start_uv_echo()));
  contenders.push_back(TRY(start_redis(scratch)));
  contenders.push_back(TRY(start_memcached(scratch)));
  contenders.push_back(TRY(start_nginx(scratch, stub.port)));

  const Plan plan{.rounds = bench.rounds};
  InRegimes found = TRY(measure_in_regimes(contenders, plan, bench.interrupt));
  Measurement measurement{
      .subject = found.judged.front(), .peers = {}, .beside = std::move(found.beside)};
  measurement.peers.assign(found.judged.begin() + 1, found.judged.end());
  return measurement;
}

}  // namespace claimsd::bench

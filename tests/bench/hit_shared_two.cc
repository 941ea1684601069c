// hit_shared_two: do two processes on two cores do twice as many map lookups as one? Readers must
// not write to shared memory.
#include <fcntl.h>
#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <utility>

#include "tests/bench/benchmarks.h"
#include "tests/bench/claimsd_daemon.h"
#include "tests/bench/http_stub.h"
#include "tests/bench/regime.h"
#include "tests/bench/stats.h"

namespace claimsd::bench {
namespace {

constexpr int kAsks = 2000;  // batches: 100 ms

struct Pipe {
  Fd out;
  Fd in;

  static Result<Pipe> make() {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0)
      return failure(fmt::format("cannot create a pipe: {}", std::strerror(errno)));
    return Pipe{Fd(ends[0]), Fd(ends[1])};
  }
};

// Asks kAsks times; returns the microseconds per hit, or 0 on failure.
double time_hits(Contender& contender) {
  using Clock = std::chrono::steady_clock;
  if (!contender.begin_round()) return 0;
  const Clock::time_point start = Clock::now();
  for (int i = 0; i < kAsks; ++i) {
    if (!contender.query()) return 0;
  }
  const std::chrono::duration<double, std::micro> took = Clock::now() - start;
  if (!contender.check()) return 0;
  return took.count() / kAsks / contender.answers_per_ask();
}

// A process that runs lookups on command.
class Worker {
 public:
  static Result<Worker> start(const Daemon& daemon, int core) {
    Pipe orders = TRY(Pipe::make());
    Pipe reports = TRY(Pipe::make());
    Process process = TRY(Process::fork_off("worker", [&] {
      orders.in = Fd();
      if (!pin_to(core)) return 1;
      auto contender = daemon.fast_hit("worker", FastHit::kShared);
      char order = 0;
      while (contender && ::read(orders.out.get(), &order, 1) == 1) {
        const double took = time_hits(**contender);
        if (::write(reports.in.get(), &took, sizeof took) != sizeof took) return 1;
      }
      return 0;
    }));
    return Worker(std::move(process), std::move(orders.in), std::move(reports.out));
  }

  Status begin() const {
    if (::write(orders_.get(), "g", 1) == 1) return {};
    return failure("a worker process has ended");
  }
  Result<double> end() const {
    double took = 0;
    if (::read(reports_.get(), &took, sizeof took) == sizeof took && took > 0) return took;
    return failure("the hits of a worker did not come from the map");
  }

 private:
  Worker(Process process, Fd orders, Fd reports)
      : process_(std::move(process)), orders_(std::move(orders)), reports_(std::move(reports)) {}

  Process process_;
  Fd orders_;
  Fd reports_;
};

Figure figure(std::string name, const std::vector<double>& rounds) {
  return {.name = std::move(name), .value = median(rounds), .p99 = 0, .spread = spread(rounds)};
}

}  // namespace

Result<Measurement> run_hit_shared_two(const Bench& bench) {
  const Cores cores = TRY(Cores::available());
  if (!cores.two()) return failure("this benchmark needs two cores");
  const Scratch scratch = TRY(Scratch::make());
  const HttpStub stub = TRY(HttpStub::start());
  const Daemon daemon = TRY(Daemon::start(bench.daemon, scratch, stub, Daemon::SharedMemory::kOn));
  const Worker first = TRY(Worker::start(daemon, cores.client));
  const Worker second = TRY(Worker::start(daemon, cores.server));

  std::vector<double> alone;
  std::vector<double> together;
  for (int round = 0; round <= bench.rounds; ++round) {
    if (bench.interrupt.requested()) return failure("interrupted");
    TRY(first.begin());
    const double one = TRY(first.end());
    TRY(second.begin());
    const double other = TRY(second.end());
    TRY(first.begin());
    TRY(second.begin());
    const double one_of_two = TRY(first.end());
    const double other_of_two = TRY(second.end());
    if (round == 0) continue;  // cold
    alone.push_back((one + other) / 2);
    // Two hits in the time of the slower process.
    together.push_back(std::max(one_of_two, other_of_two) / 2);
  }
  return Measurement{
      .subject = figure("two", together), .peers = {figure("one", alone)}, .beside = {}};
}

}  // namespace claimsd::bench

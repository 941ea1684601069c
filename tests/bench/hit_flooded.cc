// hit_flooded: does a flood delay other clients' hits? The p99 of hits over the socket while
// another process floods the daemon over four connections, against the same without a flood.
// hit_audited: does the audit log? The same with the log on a disk. Each rejection waits for its
// record and the flooder for its answers, so one batch is always being written and another waits.
//
// The measured client has one core and the daemon the other; both are kept awake. The flooder runs
// on the daemon's core at the lowest priority (SCHED_IDLE), so the daemon always goes first. It
// never sleeps, which keeps that core awake; an extra spinner would take half of its time. On the
// client's core it would delay the client, as would a busy daemon. The benchmark measures the order
// in which the daemon serves clients, not how a kernel shares a core.
#include <fmt/core.h>

#include <chrono>
#include <utility>

#include "tests/bench/benchmarks.h"
#include "tests/bench/claimsd_daemon.h"
#include "tests/bench/flooder.h"
#include "tests/bench/http_stub.h"
#include "tests/bench/measure.h"
#include "tests/bench/regime.h"

namespace claimsd::bench {
namespace {

constexpr std::uint64_t kTokens = 200;
// Minimum junk per second; less is not a flood. With the audit log the disk limits the rate.
constexpr double kMinRate = 50'000;
constexpr double kMinRateOnDisk = 2'000;
using Clock = std::chrono::steady_clock;

// Junk answered, and in what time.
struct Intensity {
  std::uint64_t answered = 0;
  std::chrono::duration<double> time{};
  double per_second() const { return static_cast<double>(answered) / time.count(); }
};

// Hits with the flood on or off.
class Among final : public Contender {
 public:
  Among(ContenderPtr hits, const Flooder& flooder, bool flooded, Intensity& intensity)
      : hits_(std::move(hits)), flooder_(flooder), flooded_(flooded), intensity_(intensity) {}

  std::string name() const override { return hits_->name(); }
  std::vector<pid_t> servers() const override { return hits_->servers(); }
  Status begin_round() override { return hits_->begin_round(); }
  // The first query of a block still sees the flood state of the other contender.
  Status prepare() override {
    flooded_ ? flooder_.begin() : flooder_.pause();
    if (flooded_) {
      answered_before_ = flooder_.answered();
      begin_ = Clock::now();
    }
    return hits_->prepare();
  }
  Status query() override { return hits_->query(); }
  Status check() override {
    if (flooded_) {
      intensity_.time += Clock::now() - begin_;
      intensity_.answered += flooder_.answered() - answered_before_;
    }
    return hits_->check();
  }

 private:
  ContenderPtr hits_;
  const Flooder& flooder_;
  bool flooded_;
  Intensity& intensity_;
  std::uint64_t answered_before_ = 0;
  Clock::time_point begin_;
};

Figure p99_of(const Figure& figure) {
  return {.name = figure.name, .value = figure.p99, .p99 = 0, .spread = figure.spread};
}

Result<Measurement> run_among(const Bench& bench, const Scratch* audit_disk, double least_rate) {
  const Cores cores = TRY(Cores::available());
  if (!cores.two())
    return failure("this benchmark needs two cores: one for the flood, one for the daemon");
  const Scratch scratch = TRY(Scratch::make());
  const HttpStub stub = TRY(HttpStub::start());
  const Daemon daemon =
      TRY(Daemon::start(bench.daemon, scratch, stub, Daemon::SharedMemory::kOff, "", audit_disk));
  TRY(daemon.fill(kTokens));
  const Flooder flooder = TRY(Flooder::start(daemon.socket(), cores.server));

  Intensity intensity;
  Among flooded(TRY(daemon.hit_among("flooded", kTokens)), flooder, true, intensity);
  Among quiet(TRY(daemon.hit_among("quiet", kTokens)), flooder, false, intensity);
  const Placement placement = TRY(Placement::apply(Regime::kAskerAwake, cores, {daemon.pid()}));
  const Plan plan{.rounds = bench.rounds, .blocks = 10, .per_block = 1000};
  const std::vector<Figure> figures = TRY(measure({&flooded, &quiet}, plan, bench.interrupt));
  if (intensity.per_second() < least_rate) {
    return failure(
        fmt::format("the flood reached only {:.0f} tokens per second, too few to measure",
                    intensity.per_second()));
  }
  const Figure junk{.name = "junk", .value = 1e6 / intensity.per_second(), .p99 = 0, .spread = 0};
  return Measurement{.subject = p99_of(figures.at(0)),
                     .peers = {p99_of(figures.at(1))},
                     .beside = {{.regime = "means; junk: per token of the flood",
                                 .figures = {figures.at(0), figures.at(1), junk}}}};
}

}  // namespace

Result<Measurement> run_hit_flooded(const Bench& bench) {
  return run_among(bench, nullptr, kMinRate);
}

Result<Measurement> run_hit_audited(const Bench& bench) {
  const Scratch disk = TRY(Scratch::on_disk());
  return run_among(bench, &disk, kMinRateOnDisk);
}

}  // namespace claimsd::bench

// fleet_hung: does a Redis server that hangs delay lookups? Hits over the socket of a host of a
// fleet whose Redis was stopped (SIGSTOP) after the host had connected, against those of a host
// whose Redis runs. For information also those of one without a fleet: it waits without a timer,
// which the kernel would set and cancel for each hit. Under systemd the timer of the watchdog costs
// every daemon as much.
#include <fmt/core.h>
#include <sys/stat.h>

#include <exception>
#include <memory>

#include "daemon/base/clock.h"
#include "daemon/loop/loop.h"
#include "tests/bench/benchmarks.h"
#include "tests/bench/claimsd_daemon.h"
#include "tests/bench/redis_info.h"
#include "tests/bench/regime.h"

namespace claimsd::bench {
namespace {

constexpr seconds kPatience{20};
// A host has two connections; one more asks for their number.
constexpr double kConnected = 3;

// A daemon in a fleet of its own.
struct Host {
  Scratch scratch;
  std::unique_ptr<test::RedisServer> redis;
  Daemon daemon;

  static Result<Host> start(const Bench& bench, const HttpStub& stub) {
    Scratch scratch = TRY(Scratch::make());
    auto redis = std::make_unique<test::RedisServer>();
    const std::string table = fmt::format(R"(
[fleet]
name = "bench"
urls = ["redis://127.0.0.1:{}"]
seal_key_files = ["{}"]
fingerprint_key_file = "{}"
join = "serve"
)",
                                          redis->port(), TRY(write_key(scratch, "seal")),
                                          TRY(write_key(scratch, "fingerprint")));
    Daemon daemon =
        TRY(Daemon::start(bench.daemon, scratch, stub, Daemon::SharedMemory::kOff, table));
    return Host{std::move(scratch), std::move(redis), std::move(daemon)};
  }

  // Waits until the daemon has both its connections, then stops the server.
  Status hang(Interrupt& interrupt) const {
    const Duration begin = loop::Loop::hrtime();
    while (number_in(redis_info(*redis, "clients"), "connected_clients:") < kConnected) {
      if (interrupt.requested()) return failure("interrupted");
      if (loop::Loop::hrtime() - begin > kPatience)
        return failure("the daemon did not connect to Redis");
    }
    redis->freeze();
    return {};
  }

 private:
  static Result<std::string> write_key(const Scratch& scratch, const std::string& name) {
    std::string path = TRY(scratch.write(name + ".key", name + std::string(32, 'k')));
    if (::chmod(path.c_str(), 0600) != 0) return failure("cannot protect " + path);
    return path;
  }
};

}  // namespace

Result<Measurement> run_fleet_hung(const Bench& bench) try {
  const HttpStub stub = TRY(HttpStub::start());
  const Scratch scratch = TRY(Scratch::make());
  const Host hung = TRY(Host::start(bench, stub));
  const Host connected = TRY(Host::start(bench, stub));
  const Daemon alone = TRY(Daemon::start(bench.daemon, scratch, stub));
  const ContenderPtr of_hung = TRY(hung.daemon.hit("claimsd"));
  const ContenderPtr of_connected = TRY(connected.daemon.hit("connected"));
  const ContenderPtr of_alone = TRY(alone.hit("no fleet"));
  TRY(hung.hang(bench.interrupt));
  const Cores cores = TRY(Cores::available());
  const Placement placement = TRY(Placement::apply(
      Regime::kOneCore, cores, {hung.daemon.pid(), connected.daemon.pid(), alone.pid()}));
  const Plan plan{.rounds = bench.rounds};
  const std::vector<Figure> figures =
      TRY(measure({of_hung.get(), of_connected.get(), of_alone.get()}, plan, bench.interrupt));
  return Measurement{.subject = figures.at(0),
                     .peers = {figures.at(1)},
                     .beside = {{.regime = "means", .figures = figures}}};
} catch (const std::exception& error) {
  return failure(error.what());
}

}  // namespace claimsd::bench

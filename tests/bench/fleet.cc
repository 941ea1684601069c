// How fast an order reaches every host of a fleet, through a real Redis server. The replica and the
// bus are the daemon's own; 1,000 hosts share this process and its two cores, each with its own bus
// thread and connections.
#include <fmt/core.h>
#include <sys/resource.h>

#include <algorithm>
#include <exception>
#include <stdexcept>

#include "tests/bench/benchmarks.h"
#include "tests/bench/redis_info.h"
#include "tests/fleet/fleet_host.h"

namespace claimsd::bench {
namespace {

using fleet::FleetHost;
using fleet::WhenLost;

constexpr std::array<std::size_t, 3> kSizes = {10, 100, 1000};
constexpr int kOrders = 20;
constexpr std::size_t kSynced = 100'000;
constexpr seconds kIdle{10};
constexpr std::size_t kSlice = 100;  // hosts that connect at once
constexpr seconds kPatience{60};

// A host has two connections and five event descriptors.
void allow_many_files() {
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

// What Redis has done since it was started.
struct Traffic {
  double commands = 0;
  double sent = 0;  // bytes
  double received = 0;

  static Traffic read(const test::RedisServer& server) {
    const std::string info = redis_info(server, "stats");
    return {.commands = number_in(info, "total_commands_processed:"),
            .sent = number_in(info, "total_net_output_bytes:"),
            .received = number_in(info, "total_net_input_bytes:")};
  }
  Traffic since(const Traffic& before) const {
    return {commands - before.commands, sent - before.sent, received - before.received};
  }
  std::vector<Figure> figures(double per) const {
    return {{.name = "commands", .value = commands / per},
            {.name = "kB out", .value = sent / per / 1000},
            {.name = "kB in", .value = received / per / 1000}};
  }
};

class Fleet {
 public:
  explicit Fleet(Interrupt& interrupt)
      : interrupt_(interrupt),
        server_({"maxclients 10000"}),
        servers_{.servers = {{"127.0.0.1", server_.port(), false}}} {
    allow_many_files();
    tick_.start(milliseconds(10), milliseconds(10));
    add(WhenLost::kServe);  // founds the fleet
  }

  FleetHost& add(WhenLost join = WhenLost::kUnavailable) {
    hosts_.push_back(
        std::make_unique<FleetHost>(*loop_, fmt::format("host-{}", hosts_.size()), servers_, join));
    return *hosts_.back();
  }
  FleetHost& first() { return *hosts_.front(); }

  void grow_to(std::size_t size) {
    while (hosts_.size() < size) {
      const std::size_t slice = std::min(size, hosts_.size() + kSlice);
      while (hosts_.size() < slice) add();
      until([&] {
        return std::all_of(hosts_.begin(), hosts_.end(),
                           [](const auto& host) { return host->is_current(); });
      });
    }
  }

  template <class Condition>
  Duration until(Condition&& condition) {
    const Duration begin = loop::Loop::hrtime();
    while (!condition()) {
      if (interrupt_.requested()) throw std::runtime_error("interrupted");
      if (loop::Loop::hrtime() - begin > kPatience)
        throw std::runtime_error("the fleet did not get there within a minute");
      loop_->run_once();
    }
    return loop::Loop::hrtime() - begin;
  }

  // The load on Redis for each second without orders.
  std::vector<Figure> idle() {
    const Traffic before = Traffic::read(server_);
    const Duration begin = loop::Loop::hrtime();
    until([&] { return loop::Loop::hrtime() - begin >= kIdle; });
    return Traffic::read(server_).since(before).figures(kIdle / seconds(1));
  }

  // From the order until each host has applied it.
  void order(std::vector<double>& reached_ms) {
    std::vector<FleetHost*> waiting;
    for (const auto& host : hosts_) waiting.push_back(host.get());
    const Duration begin = loop::Loop::hrtime();
    const claims::ActionId action = first().revoke();
    until([&] {
      std::erase_if(waiting, [&](const FleetHost* host) {
        if (!host->holds(action)) return false;
        reached_ms.push_back(static_cast<double>((loop::Loop::hrtime() - begin).count()) / 1e6);
        return true;
      });
      return waiting.empty();
    });
  }

 private:
  Interrupt& interrupt_;
  test::RedisServer server_;
  redis::Settings servers_;
  std::unique_ptr<loop::Loop> loop_ = loop::Loop::create().value();
  loop::Timer tick_{*loop_, [] {}};  // ends the waits of run_once()
  std::vector<std::unique_ptr<FleetHost>> hosts_;
};

double p99(std::vector<double>& values) {
  std::sort(values.begin(), values.end());
  return values.at(values.size() * 99 / 100);
}

}  // namespace

Result<Measurement> run_fleet(const Bench& bench) try {
  Fleet fleet(bench.interrupt);
  Measurement measurement{.subject = {.name = "claimsd"},
                          .peers = {{.name = "250 ms", .value = 250}}};
  for (const std::size_t size : kSizes) {
    fleet.grow_to(size);
    std::vector<double> reached;
    for (int i = 0; i < kOrders; ++i) fleet.order(reached);
    measurement.subject.value = p99(reached);  // the goal is about the largest fleet
    measurement.beside.push_back(
        {.regime = fmt::format("{} hosts", size),
         .figures = {{.name = "p99", .value = measurement.subject.value},
                     {.name = "median", .value = reached[reached.size() / 2]}}});
    measurement.beside.push_back(
        {.regime = fmt::format("{} hosts, Redis, each second", size), .figures = fleet.idle()});
  }
  return measurement;
} catch (const std::exception& error) {
  return failure(error.what());
}

Result<Measurement> run_fleet_sync(const Bench& bench) try {
  Fleet fleet(bench.interrupt);
  fleet.grow_to(1);
  for (std::size_t done = 0; done < kSynced;) {
    for (std::size_t i = 0; i < 1000; ++i, ++done) fleet.first().revoke();
    fleet.until([&] { return fleet.first().unpublished() == 0; });
  }
  FleetHost& late = fleet.add();
  const Duration took = fleet.until([&] { return late.rules() == kSynced && late.is_current(); });
  return Measurement{
      .subject = {.name = "claimsd", .value = static_cast<double>(took.count()) / 1e6},
      .peers = {{.name = "5 s", .value = 5000}}};
} catch (const std::exception& error) {
  return failure(error.what());
}

}  // namespace claimsd::bench

// The replica, on hosts with a model of Redis (tests/sim/fleet_host.h).
#include "daemon/fleet/host_replica.h"

#include <algorithm>
#include <memory>

#include "tests/sim/fleet_host.h"
#include "tests/support/catch.h"

namespace claimsd::fleet {
namespace {

using claims::RuleKind;
using sim::FleetHost;

constexpr Duration kHour = std::chrono::hours(1);

struct Fleet {
  FleetHost& add(FleetHost::Parameters parameters, bool was_current = true) {
    parameters.number = static_cast<std::uint8_t>(hosts.size() + 1);
    hosts.push_back(std::make_unique<FleetHost>(parameters, servers, random,
                                                [this](const std::string&) { ++pulses; }));
    if (was_current) hosts.back()->remember_current(clock.now().wall);
    hosts.back()->start(clock.now());
    return *hosts.back();
  }
  FleetHost& add_connected(bool was_current = true) {
    FleetHost& host = add({}, was_current);
    host.connect(0, clock.now());
    return host;
  }
  // Connected for long enough to be current in a healthy fleet.
  FleetHost& add_current() {
    FleetHost& host = add_connected();
    run(seconds(6));
    return host;
  }
  void run(Duration time) {
    for (Duration passed{}; passed < time; passed += kTick) {
      clock.advance(kTick);
      for (auto& host : hosts) host->step(clock.now());
    }
  }
  sim::FleetData& redis() { return servers.all[servers.master].data; }

  testing::FakeClock clock;
  testing::SeededRandom random{1};
  sim::FleetServers servers;
  std::vector<std::unique_ptr<FleetHost>> hosts;
  int pulses = 0;
};

TEST_CASE("an action of one host is in effect on all, and acknowledged by them") {
  Fleet fleet;
  FleetHost& author = fleet.add_connected();
  FleetHost& other = fleet.add_current();
  REQUIRE(author.replica().currency() == Currency::kCurrent);
  const auto id = author.order(RuleKind::kUser, kHour, fleet.clock.now());
  fleet.run(milliseconds(300));
  CHECK(other.is_in_effect(id));
  REQUIRE(
      author.replica().watch(id, false, fleet.clock.now().boot + seconds(5), fleet.clock.now()));
  fleet.run(seconds(2));
  CHECK(author.replica().acknowledgement(id, false).acknowledged == 2);
  CHECK_FALSE(author.replica().acknowledgement(id, false).everywhere());
  fleet.run(kConfirmAfter);
  CHECK(author.replica().acknowledgement(id, false).everywhere());
  CHECK(author.replica().acknowledgement(id, false).hosts == 2);
  CHECK(author.replica().status(fleet.clock.now()).unpublished == 0);
}

TEST_CASE("a host that is cut off is named as missing, and catches up when it is back") {
  Fleet fleet;
  FleetHost& author = fleet.add_connected();
  FleetHost& other = fleet.add_current();
  other.disconnect(fleet.clock.now());
  const auto id = author.order(RuleKind::kUser, kHour, fleet.clock.now());
  REQUIRE(
      author.replica().watch(id, false, fleet.clock.now().boot + seconds(60), fleet.clock.now()));
  fleet.run(seconds(3));
  CHECK(other.replica().currency() == Currency::kDisconnected);
  CHECK_FALSE(author.replica().acknowledgement(id, false).everywhere());
  CHECK(author.replica().acknowledgement(id, false).missing == std::vector<std::string>{"host-2"});
  other.connect(0, fleet.clock.now());
  fleet.run(seconds(5));
  CHECK(other.is_in_effect(id));
  CHECK(other.replica().currency() == Currency::kCurrent);
  fleet.run(kConfirmAfter);
  CHECK(author.replica().acknowledgement(id, false).everywhere());
}

TEST_CASE("a lost bus is known within three seconds at any moment, and healed within five") {
  enum class Loss : std::uint8_t { kConnection, kWrites, kEntries };
  const auto loss = GENERATE(Loss::kConnection, Loss::kWrites, Loss::kEntries);
  const auto is_current = [](const auto& host) {
    return host->replica().currency() == Currency::kCurrent;
  };
  for (Duration moment{}; moment < kPulseInterval; moment += kTick) {
    Fleet fleet;
    for (int count = 0; count < 3; ++count) fleet.add_connected();
    fleet.run(seconds(6) + moment);
    REQUIRE(std::all_of(fleet.hosts.begin(), fleet.hosts.end(), is_current));
    const auto set_lost = [&](bool lost) {
      fleet.servers.all.front().accepts_writes = loss != Loss::kWrites || !lost;
      for (auto& host : fleet.hosts) {
        host->set_deaf(loss == Loss::kEntries && lost);
        if (loss != Loss::kConnection) continue;
        if (lost) host->disconnect(fleet.clock.now());
        if (!lost) host->connect(0, fleet.clock.now());
      }
    };
    set_lost(true);
    fleet.run(seconds(3));
    CHECK(std::none_of(fleet.hosts.begin(), fleet.hosts.end(), is_current));
    CHECK(fleet.hosts.front()->replica().answers());  // when_lost = "serve"
    set_lost(false);
    fleet.run(seconds(5));
    CHECK(std::all_of(fleet.hosts.begin(), fleet.hosts.end(), is_current));
  }
}

TEST_CASE("a new host neither answers nor writes a pulse before it was current") {
  Fleet fleet;
  FleetHost& alone = fleet.add_connected(false);
  fleet.run(seconds(30));
  CHECK(alone.replica().currency() == Currency::kNeverCurrent);
  CHECK_FALSE(alone.replica().answers());
  CHECK(fleet.pulses == 0);
  fleet.add_connected();
  fleet.run(seconds(6));
  CHECK(alone.replica().currency() == Currency::kCurrent);
  CHECK(alone.replica().answers());
}

struct LateHost {
  LateHost() : host(join(fleet)) {}
  static FleetHost& join(Fleet& fleet) {
    fleet.add_connected();
    fleet.run(seconds(6));
    return fleet.add_connected(false);
  }
  // Whether it writes pulses after a power failure of all hosts that only it survives.
  bool writes_pulses() {
    REQUIRE(host.replica().currency() == Currency::kCurrent);
    for (auto& one : fleet.hosts) one->stop();
    fleet.hosts.erase(fleet.hosts.begin());
    host.start(fleet.clock.now());
    host.connect(0, fleet.clock.now());
    fleet.pulses = 0;
    fleet.run(seconds(20));
    return fleet.pulses > 0;
  }
  Fleet fleet;
  FleetHost& host;
};

TEST_CASE("a host whose row a failover may have lost writes no pulse when it is back") {
  const auto [time, writes] =
      GENERATE(table<Duration, bool>({{seconds(5), false}, {kSettled + seconds(2), true}}));
  LateHost late;
  late.fleet.run(time);
  CHECK(late.writes_pulses() == writes);
}

TEST_CASE("a host that may have lost actions by a power failure writes no pulse when it is back") {
  LateHost late;
  late.host.set_slow_disk(true);
  for (Duration passed{}; passed < kSettled + seconds(2); passed += seconds(1)) {
    late.fleet.hosts.front()->order(RuleKind::kUser, kHour, late.fleet.clock.now());
    late.fleet.run(seconds(1));
  }
  REQUIRE(late.host.replica().status(late.fleet.clock.now()).not_durable > 0);
  CHECK_FALSE(late.writes_pulses());
}

TEST_CASE("with join = serve a host founds a new fleet") {
  Fleet fleet;
  FleetHost& founder = fleet.add({.join = WhenLost::kServe}, false);
  founder.connect(0, fleet.clock.now());
  CHECK(founder.replica().answers());
  fleet.run(seconds(20));
  CHECK(founder.replica().currency() == Currency::kCurrent);
}

TEST_CASE("a host without room for an action is not current, and writes no pulse") {
  Fleet fleet;
  FleetHost& author = fleet.add_connected();
  FleetHost& small = fleet.add({.max_items = 1});
  small.connect(0, fleet.clock.now());
  fleet.run(seconds(6));
  author.order(RuleKind::kUser, kHour, fleet.clock.now());
  author.order(RuleKind::kUser, kHour, fleet.clock.now());
  fleet.run(seconds(6));
  CHECK(small.replica().currency() == Currency::kFull);
  CHECK(author.replica().currency() == Currency::kCurrent);
}

TEST_CASE("an emptied Redis is filled again, so that a host that joins gets everything") {
  Fleet fleet;
  FleetHost& author = fleet.add_current();
  for (int count = 0; count < 50; ++count) author.order(RuleKind::kUser, kHour, fleet.clock.now());
  fleet.run(seconds(2));
  fleet.redis() = {};
  fleet.run(seconds(15));
  CHECK(fleet.redis().items.size() == 50);
  FleetHost& late = fleet.add_connected(false);
  fleet.run(seconds(5));
  CHECK(late.actions() == 50);
  CHECK(late.replica().currency() == Currency::kCurrent);
}

TEST_CASE("an action that a failover lost is published again, by its author or by any holder") {
  Fleet fleet;
  FleetHost& author = fleet.add_connected();
  FleetHost& holder = fleet.add_connected();
  FleetHost& behind = fleet.add_current();
  behind.disconnect(fleet.clock.now());
  const auto id = author.order(RuleKind::kUser, kHour, fleet.clock.now());
  fleet.run(seconds(1));
  REQUIRE(holder.is_in_effect(id));
  author.disconnect(fleet.clock.now());  // and never comes back
  fleet.redis() = {};
  behind.connect(0, fleet.clock.now());
  fleet.run(seconds(15));
  CHECK(behind.is_in_effect(id));
  CHECK(behind.replica().currency() == Currency::kCurrent);
}

TEST_CASE("an action that Redis did not receive is repeated by its author") {
  Fleet fleet;
  FleetHost& author = fleet.add_connected();
  FleetHost& other = fleet.add_current();
  author.set_lossy(100);
  const auto id = author.order(RuleKind::kUser, kHour, fleet.clock.now());
  author.set_lossy(0);
  fleet.run(seconds(1));
  REQUIRE_FALSE(other.is_in_effect(id));
  CHECK(author.replica().status(fleet.clock.now()).unpublished == 1);
  fleet.run(seconds(2));
  CHECK(other.is_in_effect(id));
  CHECK(author.replica().status(fleet.clock.now()).unpublished == 0);
}

TEST_CASE("the newest action reaches the host that writes the pulses although it has missed it") {
  Fleet fleet;
  FleetHost& writer = fleet.add_current();
  FleetHost& author = fleet.add_connected();
  FleetHost& other = fleet.add_current();
  REQUIRE(writer.replica().status(fleet.clock.now()).writes_pulse);
  writer.set_deaf(true);
  const auto id = author.order(RuleKind::kUser, kHour, fleet.clock.now());
  fleet.run(milliseconds(500));
  writer.set_deaf(false);
  REQUIRE(other.is_in_effect(id));
  REQUIRE_FALSE(writer.is_in_effect(id));
  fleet.run(seconds(1));
  REQUIRE(writer.replica().status(fleet.clock.now()).writes_pulse);
  fleet.run(seconds(7));
  CHECK(writer.is_in_effect(id));
}

TEST_CASE("after a delay of its process a host reads what has arrived before it writes a pulse") {
  Fleet fleet;
  FleetHost& writer = fleet.add_current();
  FleetHost& late = fleet.add_current();
  REQUIRE(writer.replica().status(fleet.clock.now()).writes_pulse);
  const auto tick = [&] {
    late.replica().tick(late.own(fleet.clock.now()));
    return late.replica().status(fleet.clock.now()).counters.pulses_written;
  };
  const auto before = tick();
  fleet.clock.advance(seconds(3));
  CHECK(tick() == before);
  CHECK(tick() == before + 1);  // nothing has arrived
}

TEST_CASE("the table of hosts is read when it is asked for") {
  Fleet fleet;
  FleetHost& one = fleet.add_current();
  FleetHost& late = fleet.add_current();
  late.disconnect(fleet.clock.now());
  const auto shown = [&] {
    const auto hosts = one.replica().hosts(fleet.clock.now());
    REQUIRE(hosts.size() == 2);
    return hosts[1].written_at;
  };
  const WallTime before = shown();
  one.replica().refresh_hosts(fleet.clock.now());
  fleet.run(seconds(1));
  CHECK(shown() > before);
  CHECK(shown() <= fleet.clock.now().wall - seconds(1));
}

TEST_CASE("two hosts with one host id both report it") {
  Fleet fleet;
  FleetHost& one = fleet.add_current();
  FleetHost twin({.number = 1}, fleet.servers, fleet.random, [](const std::string&) {});
  twin.remember_current(fleet.clock.now().wall);
  twin.start(fleet.clock.now());
  twin.connect(0, fleet.clock.now());
  for (int tick = 0; tick < 200; ++tick) {
    fleet.run(kTick);
    twin.step(fleet.clock.now());
  }
  CHECK(one.replica().currency() == Currency::kHostIdShared);
  CHECK(twin.replica().currency() == Currency::kHostIdShared);
}

TEST_CASE("a withdrawal reaches all hosts, also before its action") {
  Fleet fleet;
  FleetHost& author = fleet.add_connected();
  FleetHost& other = fleet.add_current();
  const auto id = author.order(RuleKind::kUser, kHour, fleet.clock.now());
  author.withdraw(id, fleet.clock.now().wall + kHour, fleet.clock.now());
  fleet.run(seconds(1));
  CHECK(other.actions() == 1);
  CHECK(other.withdrawals() == 1);
  CHECK(other.replica().status(fleet.clock.now()).items == 2);
}

TEST_CASE("the time of an action is that of Redis if this host is a little behind") {
  Fleet fleet;
  FleetHost& host = fleet.add({.wall_skew = milliseconds(-500)});
  host.connect(0, fleet.clock.now());
  CHECK(host.replica().action_time(host.own(fleet.clock.now())) == fleet.clock.now().wall);
  FleetHost& far = fleet.add({.wall_skew = seconds(-5)});
  far.connect(0, fleet.clock.now());
  CHECK(far.replica().action_time(far.own(fleet.clock.now())) == far.own(fleet.clock.now()).wall);
}

}  // namespace
}  // namespace claimsd::fleet

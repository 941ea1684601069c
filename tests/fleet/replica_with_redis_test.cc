// Three replicas, their buses and a real Redis server: what one host orders is in effect on all, and
// stays so whatever happens to Redis.
#include <cstdlib>

#include "tests/fleet/test_fleet.h"
#include "tests/support/catch.h"

namespace claimsd::fleet {
namespace {

using test::RedisServer;

TEST_CASE("what one host revokes and withdraws is in effect on all hosts") {
  const RedisServer server;
  TestFleet fleet(server);
  REQUIRE(fleet.all_current());
  const claims::ActionId action = fleet.hosts[1]->revoke();
  REQUIRE(fleet.all_hold(action));
  fleet.hosts[2]->withdraw(action);
  CHECK(fleet.until([&] { return fleet.hosts[0]->is_withdrawn(action); }));
}

TEST_CASE("a revocation is acknowledged by all hosts") {
  const RedisServer server;
  TestFleet fleet(server);
  REQUIRE(fleet.all_current());
  const claims::ActionId action = fleet.hosts[0]->revoke();
  Replica& replica = fleet.hosts[0]->replica();
  const Now now = fleet.clock.now();
  REQUIRE(replica.watch(action, false, now.boot + seconds(10), now));
  CHECK(fleet.until([&] {
    const Acknowledgement known = replica.acknowledgement(action, false);
    return known.everywhere() && known.hosts == 3;
  }));
}

TEST_CASE("a host that joins later receives all actions") {
  const RedisServer server;
  TestFleet fleet(server);
  REQUIRE(fleet.all_current());
  std::vector<claims::ActionId> actions;
  for (int i = 0; i < 50; ++i) actions.push_back(fleet.hosts[i % 3]->revoke());
  for (const auto& action : actions) REQUIRE(fleet.all_hold(action));
  FleetHost& late = fleet.add();
  CHECK_FALSE(late.replica().answers());
  REQUIRE(fleet.all_current());
  CHECK(late.rules() == actions.size());
  CHECK(late.replica().answers());
}

TEST_CASE("FLUSHALL loses nothing: the hosts publish what the server has forgotten") {
  const RedisServer server;
  TestFleet fleet(server);
  REQUIRE(fleet.all_current());
  const claims::ActionId before = fleet.hosts[0]->revoke();
  REQUIRE(fleet.all_hold(before));
  Admin(server).call({"FLUSHALL"});
  const claims::ActionId after = fleet.hosts[1]->revoke();
  REQUIRE(fleet.all_hold(after));
  REQUIRE(fleet.all_current());
  FleetHost& late = fleet.add();
  CHECK(fleet.until([&] { return late.holds(before) && late.holds(after); }));
}

TEST_CASE("a server that returns to an old state is brought up to date by the hosts") {
  const RedisServer server({"enable-debug-command yes"});
  TestFleet fleet(server);
  REQUIRE(fleet.all_current());
  REQUIRE(Admin(server).call({"SAVE"}).is_status("OK"));
  const claims::ActionId action = fleet.hosts[0]->revoke();
  REQUIRE(fleet.all_hold(action));
  REQUIRE(Admin(server).call({"DEBUG", "RELOAD", "NOSAVE"}).is_status("OK"));
  FleetHost& late = fleet.add();
  CHECK(fleet.until([&] { return late.holds(action); }));
  REQUIRE(fleet.all_current());
}

TEST_CASE("what was revoked while Redis hung reaches all hosts afterwards") {
  RedisServer server;
  TestFleet fleet(server);
  REQUIRE(fleet.all_current());
  server.freeze();
  const claims::ActionId action = fleet.hosts[0]->revoke();
  const BootTime cut = fleet.clock.now().boot;
  CHECK(fleet.until([&] { return !fleet.hosts[1]->is_current(); }));
  CHECK(fleet.clock.now().boot - cut < seconds(5));
  server.thaw();
  const BootTime healed = fleet.clock.now().boot;
  REQUIRE(fleet.all_hold(action));
  REQUIRE(fleet.all_current());
  CHECK(fleet.clock.now().boot - healed < seconds(10));
}

TEST_CASE("another server without any data is filled by the hosts") {
  auto first = std::make_unique<RedisServer>();
  const RedisServer second;
  TestFleet fleet({.servers = {endpoint_of(*first), endpoint_of(second)}});
  REQUIRE(fleet.all_current());
  const claims::ActionId action = fleet.hosts[0]->revoke();
  REQUIRE(fleet.all_hold(action));
  first.reset();
  REQUIRE(fleet.until([&] { return !fleet.hosts[0]->is_current(); }));
  REQUIRE(fleet.all_current());
  FleetHost& late = fleet.add();
  CHECK(fleet.until([&] { return late.holds(action); }));
}

// CLAIMSD_FLEET_HOSTS sets how many hosts, 20 by default. They share this process.
TEST_CASE("a revocation reaches every host, and the times are shown") {
  const char* const text = std::getenv("CLAIMSD_FLEET_HOSTS");
  const std::size_t size = text == nullptr ? 20 : std::strtoul(text, nullptr, 10);
  const RedisServer server({"maxclients 10000"});
  TestFleet fleet(server);
  while (fleet.hosts.size() < size) {
    for (int slice = 0; slice < 100 && fleet.hosts.size() < size; ++slice) fleet.add();
    REQUIRE(fleet.all_current(seconds(120)));
  }
  std::vector<Duration> reached;
  for (int round = 0; round < 20; ++round) {
    std::vector<FleetHost*> waiting;
    for (const auto& host : fleet.hosts) waiting.push_back(host.get());
    const Duration begin = loop::Loop::hrtime();
    const claims::ActionId action = fleet.hosts[round % 3]->revoke();
    REQUIRE(fleet.until([&] {
      std::erase_if(waiting, [&](const FleetHost* host) {
        if (!host->holds(action)) return false;
        reached.push_back(loop::Loop::hrtime() - begin);
        return true;
      });
      return waiting.empty();
    }));
  }
  std::sort(reached.begin(), reached.end());
  const auto ms = [&](std::size_t percent) {
    return static_cast<double>(reached[(reached.size() - 1) * percent / 100].count()) / 1e6;
  };
  WARN(fmt::format("{} hosts: p50 {:.1f} ms, p99 {:.1f} ms, max {:.1f} ms", size, ms(50), ms(99),
                   ms(100)));
}

}  // namespace
}  // namespace claimsd::fleet

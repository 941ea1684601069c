// Faults of a real Redis server and of the network, as a fleet meets them in production: the loss is
// known soon, nothing is lost, and the fleet heals by itself.
#include <fstream>

#include "daemon/redis/command.h"
#include "tests/fleet/test_fleet.h"
#include "tests/support/catch.h"
#include "tests/support/cutting_proxy.h"

namespace claimsd::fleet {
namespace {

using test::CuttingProxy;
using test::RedisServer;

// 3 s and 5 s, which host_replica_test.cc checks exactly, and how late a busy machine is.
constexpr Duration kKnown = seconds(3) + seconds(1);
constexpr Duration kHealed = seconds(5) + seconds(2);

redis::Settings through(const CuttingProxy& proxy) {
  return {.servers = {{"127.0.0.1", proxy.port(), false}}};
}

void show(std::string_view what, Duration took) {
  WARN(what << " after " << took / milliseconds(1) << " ms");
}

TEST_CASE("connections that are killed in the middle of a burst lose no action") {
  const RedisServer server;
  TestFleet fleet(server);
  REQUIRE(fleet.all_current());
  Admin admin(server);
  std::size_t actions = 0;
  for (int round = 0; round < 10; ++round) {
    for (int burst = 0; burst < 20; ++burst, actions += fleet.hosts.size()) {
      for (const auto& host : fleet.hosts) host->revoke();
      fleet.loop->run_once();
      if (burst == 10) admin.call({"CLIENT", "KILL", "TYPE", "normal"});
    }
  }
  const BootTime last = fleet.now();
  REQUIRE(fleet.all(
      [&](const FleetHost& host) { return host.rules() == actions && host.is_current(); }));
  show("connections killed: healed", fleet.now() - last);
}

TEST_CASE("a server that sleeps is known within three seconds, and the fleet heals within five") {
  const RedisServer server({"enable-debug-command yes"});
  TestFleet fleet(server);
  REQUIRE(fleet.all_current());
  Admin admin(server);
  redis::Connection connection = admin.servers.connect().value();
  const BootTime began = fleet.now();
  REQUIRE(connection.send(redis::format_command({"DEBUG", "SLEEP", "6"}), began + seconds(1)));
  const claims::ActionId action = fleet.hosts[0]->revoke();
  REQUIRE(fleet.all([](const FleetHost& host) { return !host.is_current(); }, kKnown));
  show("asleep: loss known", fleet.now() - began);
  REQUIRE(connection.receive(began + seconds(20)));
  const BootTime awake = fleet.now();
  REQUIRE(fleet.all_hold(action, kHealed));
  REQUIRE(fleet.all_current(kHealed));
  show("asleep: healed", fleet.now() - awake);
}

TEST_CASE("a full server refuses writes: no host is current until there is room again") {
  const RedisServer server({"maxmemory-policy noeviction"});
  TestFleet fleet(server);
  REQUIRE(fleet.all_current());
  Admin admin(server);
  const BootTime full = fleet.now();
  admin.call({"CONFIG", "SET", "maxmemory", "1"});
  const claims::ActionId action = fleet.hosts[0]->revoke();
  REQUIRE(fleet.all([](const FleetHost& host) { return !host.is_current(); }, kKnown));
  show("full: loss known", fleet.now() - full);
  CHECK(fleet.hosts[0]->bus().status().write_error.find("OOM") != std::string::npos);
  CHECK_FALSE(fleet.hosts[1]->holds(action));
  admin.call({"CONFIG", "SET", "maxmemory", "0"});
  const BootTime room = fleet.now();
  REQUIRE(fleet.all_current(kHealed));
  show("full: healed", fleet.now() - room);
  REQUIRE(fleet.all_hold(action, seconds(40)));  // repeated at most every 30 s
}

TEST_CASE("through a slow line all hosts stay current, and a revocation reaches them") {
  const RedisServer server;
  CuttingProxy proxy(server.port());
  proxy.set_delay(milliseconds(60));  // 120 ms for each answer
  TestFleet fleet(through(proxy));
  REQUIRE(fleet.all_current());
  const BootTime ordered = fleet.now();
  const claims::ActionId action = fleet.hosts[0]->revoke();
  REQUIRE(fleet.all_hold(action, kKnown));
  show("slow line: in effect on all", fleet.now() - ordered);
  CHECK(fleet.all_current(kHealed));
}

TEST_CASE("a host that is cut off knows it and is named; the others are not affected") {
  const auto mode = GENERATE(CuttingProxy::Mode::kCut, CuttingProxy::Mode::kSwallow);
  const RedisServer server;
  CuttingProxy proxy(server.port());
  TestFleet fleet(server, 2);
  FleetHost& alone = fleet.add(through(proxy));
  REQUIRE(fleet.all_current());
  proxy.set(mode);
  const BootTime cut = fleet.now();
  FleetHost& author = *fleet.hosts[0];
  const claims::ActionId action = author.revoke();
  const Now now = fleet.clock.now();
  REQUIRE(author.replica().watch(action, false, now.boot + seconds(60), now));
  REQUIRE(fleet.until([&] { return !alone.is_current(); }, kKnown));
  show("cut off: loss known", fleet.now() - cut);
  CHECK(author.is_current());
  CHECK(fleet.hosts[1]->holds(action));
  REQUIRE(fleet.until([&] {
    const Acknowledgement known = author.replica().acknowledgement(action, false);
    return known.hosts == 3 && known.acknowledged == 2;
  }));
  CHECK(author.replica().acknowledgement(action, false).missing ==
        std::vector<std::string>{"host-2"});
  proxy.set(CuttingProxy::Mode::kPass);
  const BootTime healed = fleet.now();
  REQUIRE(fleet.all_current(kHealed));
  CHECK(alone.holds(action));
  show("cut off: healed", fleet.now() - healed);
  CHECK(fleet.until([&] { return author.replica().acknowledgement(action, false).everywhere(); }));
}

TEST_CASE("a password that is changed on the server needs a new file, and no restart") {
  const RedisServer server({"user claimsd on >old ~* +@all"});
  const std::string file = server.file("password");
  std::ofstream(file) << "old\n";
  TestFleet fleet({.servers = {endpoint_of(server)}, .user = "claimsd", .password_file = file});
  REQUIRE(fleet.all_current());
  Admin admin(server);
  REQUIRE(admin.call({"ACL", "SETUSER", "claimsd", "resetpass", ">new"}).is_status("OK"));
  admin.call({"CLIENT", "KILL", "USER", "claimsd"});
  REQUIRE(fleet.all(
      [](FleetHost& host) {
        return host.bus().status().error.find("WRONGPASS") != std::string::npos;
      },
      kKnown));
  REQUIRE(fleet.all([](const FleetHost& host) { return !host.is_current(); }, kKnown));
  std::ofstream(file) << "new\n";
  REQUIRE(fleet.all_current(kHealed));
}

}  // namespace
}  // namespace claimsd::fleet

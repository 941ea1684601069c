// test_fleet.h: hosts of one fleet on one loop, with real Redis servers. For tests.
#pragma once

#include <fmt/core.h>

#include <algorithm>

#include "tests/fleet/bus_member.h"
#include "tests/fleet/fleet_host.h"

namespace claimsd::fleet {

struct TestFleet {
  explicit TestFleet(redis::Settings settings, std::size_t size = 3)
      : servers(std::move(settings)) {
    tick.start(milliseconds(10), milliseconds(10));
    add(WhenLost::kServe);  // founds the fleet
    while (hosts.size() < size) add();
  }
  explicit TestFleet(const test::RedisServer& server, std::size_t size = 3)
      : TestFleet(redis::Settings{.servers = {endpoint_of(server)}}, size) {}

  FleetHost& add(WhenLost join = WhenLost::kUnavailable) { return add(servers, join); }
  FleetHost& add(const redis::Settings& settings, WhenLost join = WhenLost::kUnavailable) {
    hosts.push_back(
        std::make_unique<FleetHost>(*loop, fmt::format("host-{}", hosts.size()), settings, join));
    return *hosts.back();
  }
  template <class Condition>
  bool until(Condition&& condition, Duration patience = seconds(15)) {
    const BootTime deadline = clock.now().boot + patience;
    while (!condition()) {
      if (clock.now().boot >= deadline) return false;
      loop->run_once();
    }
    return true;
  }
  template <class Condition>
  bool all(Condition&& condition, Duration patience = seconds(15)) {
    return until(
        [&] {
          return std::all_of(hosts.begin(), hosts.end(),
                             [&](const auto& host) { return condition(*host); });
        },
        patience);
  }
  bool all_current(Duration patience = seconds(15)) {
    return all([](const FleetHost& host) { return host.is_current(); }, patience);
  }
  bool all_hold(const claims::ActionId& action, Duration patience = seconds(15)) {
    return all([&](const FleetHost& host) { return host.holds(action); }, patience);
  }
  BootTime now() const { return clock.now().boot; }

  SystemClock clock;
  redis::Settings servers;
  std::unique_ptr<loop::Loop> loop = loop::Loop::create().value();
  loop::Timer tick{*loop, [] {}};  // ends the waits of run_once()
  std::vector<std::unique_ptr<FleetHost>> hosts;
};

}  // namespace claimsd::fleet

// Real fail-overs while three replicas revoke (sentinels.h).
#include "tests/fleet/sentinels.h"
#include "tests/fleet/test_fleet.h"
#include "tests/support/catch.h"

namespace claimsd::fleet {
namespace {

TEST_CASE("fail-overs in the middle of a burst lose no action") {
  Sentinels deployment;
  TestFleet fleet(deployment.settings());
  REQUIRE(fleet.all_current());
  std::vector<claims::ActionId> actions;
  Duration slowest{};
  for (int round = 0; round < failovers(); ++round) {
    INFO("round " << round);
    const auto revoke_some = [&] {
      for (const auto& host : fleet.hosts) actions.push_back(host->revoke());
      fleet.loop->run_once();
    };
    for (int i = 0; i < 30; ++i) revoke_some();
    deployment.fail_over();
    const BootTime ordered = fleet.clock.now().boot;
    // The old master accepts writes for some seconds, and loses them.
    while (fleet.now() - ordered < seconds(3)) {
      revoke_some();
      fleet.until([] { return false; }, milliseconds(20));
    }
    REQUIRE(fleet.until(
        [&] {
          return std::all_of(fleet.hosts.begin(), fleet.hosts.end(), [&](const auto& host) {
            return host->rules() == actions.size() && host->is_current();
          });
        },
        seconds(30)));
    slowest = std::max(slowest, fleet.clock.now().boot - ordered);
  }
  for (const claims::ActionId& action : actions) {
    for (const auto& host : fleet.hosts) CHECK(host->holds(action));
  }
  WARN(fmt::format("{} fail-overs, {} actions, the slowest healed after {} ms", failovers(),
                   actions.size(), slowest / milliseconds(1)));
}

}  // namespace
}  // namespace claimsd::fleet

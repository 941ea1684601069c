// Real fail-overs (sentinels.h).
#include "tests/fleet/bus_member.h"
#include "tests/fleet/sentinels.h"
#include "tests/support/catch.h"

namespace claimsd::fleet {
namespace {

using Kind = BusEvent::Kind;

TEST_CASE("after a fail-over both hosts find the new master, and messages arrive again") {
  Sentinels deployment;
  Member author(deployment.settings());
  Member reader(deployment.settings());
  std::string server = author.next(Kind::kConnected).name;
  reader.next(Kind::kConnected);
  for (int round = 0; round < failovers(); ++round) {
    INFO("round " << round);
    deployment.fail_over();
    const BootTime ordered = author.clock.now().boot;
    // Sentinel closes the connections of the clients of the old master.
    std::string now = server;
    while (now == server) now = author.next(Kind::kConnected, seconds(20)).name;
    server = now;
    while (reader.bus->status().server != server || !reader.bus->status().connected)
      reader.next(Kind::kConnected, seconds(20));
    reader.events.clear();
    author.bus->publish({std::to_string(round), "after " + std::to_string(round)});
    CHECK(reader.next(Kind::kMessage).text == "after " + std::to_string(round));
    CHECK(author.clock.now().boot - ordered < seconds(10));
  }
}

TEST_CASE("an entry that a fail-over has lost is reported to no reader, and does not stop it") {
  Sentinels deployment;
  Member reader(deployment.settings());
  reader.next(Kind::kConnected);
  // The position is far ahead of every id of the new master.
  Admin(deployment.first).call({"XADD", "{claimsd:test}:log", "99999999999999-0", "m", "ahead"});
  CHECK(reader.next(Kind::kMessage).text == "ahead");
  Admin(deployment.first).call({"DEL", "{claimsd:test}:log"});
  deployment.fail_over();
  reader.next(Kind::kDisconnected, seconds(20));
  reader.next(Kind::kConnected, seconds(20));
  reader.bus->announce("after");
  CHECK(reader.next(Kind::kMessage).text == "after");
}

}  // namespace
}  // namespace claimsd::fleet

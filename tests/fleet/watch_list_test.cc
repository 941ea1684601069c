#include "daemon/fleet/watch_list.h"

#include "tests/support/catch.h"
#include "tests/support/fake_world.h"

namespace claimsd::fleet {
namespace {

const ItemId kItem{.id = {9}};
const HostTable::HostKey kSelf{1};
const HostTable::HostKey kOther{2};

struct Fixture {
  proto::FleetRow row(std::vector<ItemId> acknowledged = {}) const {
    return {.redis_time = clock.now().wall.time_since_epoch().count(),
            .name = "other",
            .acknowledged = std::move(acknowledged)};
  }
  Acknowledgement now(bool is_current = true) const {
    return watches.of(kItem, hosts, kSelf, true, is_current);
  }
  testing::FakeClock clock;
  HostTable hosts;
  WatchList watches;
};

TEST_CASE("an action is in effect everywhere when every known host has acknowledged it") {
  Fixture at;
  at.hosts.put(kOther, at.row(), at.clock.now().wall);
  REQUIRE(at.watches.add(kItem, at.clock.now().boot + seconds(5), at.clock.now()));
  at.watches.rows_read(at.clock.now().boot);
  CHECK_FALSE(at.now().everywhere());
  CHECK(at.now().missing == std::vector<std::string>{"other"});
  at.watches.take(kOther, at.row({kItem}));
  at.watches.take(kOther, at.row());  // a later row without it
  CHECK(at.now().everywhere());
  CHECK(at.now().hosts == 2);
  CHECK(at.now().missing.empty());
}

TEST_CASE("without the table of hosts, or if this host is not current, nothing is known") {
  Fixture at;
  REQUIRE(at.watches.add(kItem, at.clock.now().boot + seconds(5), at.clock.now()));
  CHECK_FALSE(at.now().everywhere());
  at.watches.rows_read(at.clock.now().boot - seconds(1));  // a read that began before the watch
  CHECK_FALSE(at.now().everywhere());
  at.watches.rows_read(at.clock.now().boot);
  CHECK(at.now().everywhere());
  CHECK_FALSE(at.now(false).everywhere());
}

TEST_CASE("hosts are asked again every second until the deadline, and watches are bounded") {
  Fixture at;
  REQUIRE(at.watches.add(kItem, at.clock.now().boot + milliseconds(1'500), at.clock.now()));
  CHECK(at.watches.due(at.clock.now()).size() == 1);
  CHECK(at.watches.due(at.clock.now()).empty());
  at.clock.advance(seconds(1));
  CHECK(at.watches.due(at.clock.now()).size() == 1);
  at.clock.advance(seconds(1));
  CHECK(at.watches.due(at.clock.now()).empty());
  CHECK_FALSE(at.watches.is_waiting(at.clock.now()));
  for (std::uint8_t number = 1; number < kMaxWatched; ++number)
    CHECK(at.watches.add(ItemId{.id = {number, 1}}, at.clock.now().boot, at.clock.now()));
  CHECK_FALSE(at.watches.add(ItemId{.id = {200, 1}}, at.clock.now().boot, at.clock.now()));
  at.clock.advance(std::chrono::minutes(2));
  at.watches.expire(at.clock.now());
  CHECK(at.watches.add(ItemId{.id = {200, 1}}, at.clock.now().boot, at.clock.now()));
}

}  // namespace
}  // namespace claimsd::fleet

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
  bool watch() { return watches.add(kItem, clock.now().boot + seconds(10), clock.now()); }
  void read_rows() {
    watches.rows_read(
        clock.now().boot, hosts, kSelf, [&](const ItemId&) { return is_shared; }, clock.now());
  }
  void read_rows_after(Duration time) {
    clock.advance(time);
    read_rows();
  }
  Acknowledgement now(bool is_current = true) const {
    return watches.of(kItem, hosts, kSelf, true, is_current);
  }
  testing::FakeClock clock;
  HostTable hosts;
  WatchList watches;
  bool is_shared = true;
};

TEST_CASE("an action is in effect everywhere when every known host has acknowledged it") {
  Fixture at;
  at.hosts.put(kOther, at.row(), at.clock.now().wall);
  REQUIRE(at.watch());
  at.watches.take(kOther, at.row());
  at.read_rows();
  at.read_rows_after(kConfirmAfter);
  CHECK_FALSE(at.now().everywhere());
  CHECK(at.now().missing == std::vector<std::string>{"other"});
  at.watches.take(kOther, at.row({kItem}));
  at.watches.take(kOther, at.row());  // a later row without it
  at.read_rows();
  at.read_rows_after(kConfirmAfter);
  CHECK(at.now().everywhere());
  CHECK(at.now().hosts == 2);
  CHECK(at.now().missing.empty());
  CHECK_FALSE(at.now(false).everywhere());  // this host is not current
}

TEST_CASE("a host may be unknown until older pulses have ended and the table is read again") {
  Fixture at;
  REQUIRE(at.watch());
  at.read_rows();
  at.read_rows_after(kConfirmAfter - milliseconds(1));
  CHECK_FALSE(at.now().everywhere());
  SECTION("no other host has joined") {
    at.read_rows_after(milliseconds(1));
    CHECK(at.now().everywhere());
  }
  SECTION("a host has joined: it has to acknowledge, and others may have joined with it") {
    at.hosts.put(kOther, at.row(), at.clock.now().wall);
    at.read_rows_after(milliseconds(1));
    at.watches.take(kOther, at.row({kItem}));
    CHECK_FALSE(at.now().everywhere());
    at.read_rows();
    at.read_rows_after(kConfirmAfter);
    CHECK(at.now().everywhere());
  }
  SECTION("another server may know other hosts") {
    at.watches.connected();
    at.read_rows_after(milliseconds(1));
    CHECK_FALSE(at.now().everywhere());
  }
  SECTION("this host might still write pulses without the action") {
    at.is_shared = false;
    at.read_rows_after(milliseconds(1));
    CHECK_FALSE(at.now().everywhere());
  }
}

TEST_CASE("the table is read five times a second for acknowledgements, and once to confirm them") {
  Fixture at;
  CHECK_FALSE(at.watches.read_at(at.clock.now()));
  at.hosts.put(kOther, at.row(), at.clock.now().wall);
  REQUIRE(at.watch());
  at.read_rows();
  CHECK(at.watches.read_at(at.clock.now()) == at.clock.now().boot + milliseconds(200));
  at.watches.take(kOther, at.row({kItem}));
  at.read_rows();
  CHECK(at.watches.read_at(at.clock.now()) == at.clock.now().boot + kConfirmAfter);
  at.read_rows_after(kConfirmAfter);
  CHECK_FALSE(at.watches.read_at(at.clock.now()));
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
  CHECK_FALSE(at.watches.read_at(at.clock.now()));
  for (std::uint8_t number = 1; number < kMaxWatched; ++number)
    CHECK(at.watches.add(ItemId{.id = {number, 1}}, at.clock.now().boot, at.clock.now()));
  CHECK_FALSE(at.watches.add(ItemId{.id = {200, 1}}, at.clock.now().boot, at.clock.now()));
  at.clock.advance(std::chrono::minutes(2));
  at.watches.expire(at.clock.now());
  CHECK(at.watches.add(ItemId{.id = {200, 1}}, at.clock.now().boot, at.clock.now()));
}

}  // namespace
}  // namespace claimsd::fleet

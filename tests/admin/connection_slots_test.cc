#include "daemon/admin/connection_slots.h"

#include "tests/support/catch.h"

namespace claimsd::admin {
namespace {

using Id = ConnectionSlots::Id;

constexpr std::uint32_t kRoot = 0;
constexpr std::uint32_t kOther = 1000;

// `count` connections of `uid` with a request, numbered from `first`.
void fill(ConnectionSlots& slots, Id first, std::size_t count, std::uint32_t uid) {
  for (Id id = first; id < first + count; ++id) {
    REQUIRE(slots.enter(id, uid).admitted);
    REQUIRE(slots.begin_request(id, false));
  }
}

TEST_CASE("a uid whose clients send nothing loses the oldest one to its next client") {
  ConnectionSlots slots({.connections = 4, .per_uid = 2, .actions = 1});
  CHECK_FALSE(slots.enter(1, kRoot).displaced);
  CHECK_FALSE(slots.enter(2, kRoot).displaced);
  CHECK_FALSE(slots.enter(3, kOther).displaced);
  const auto third = slots.enter(4, kRoot);
  CHECK(third.admitted);
  CHECK(third.displaced == Id{1});
  CHECK(slots.begin_request(4, false));
  CHECK(slots.size() == 3);
}

TEST_CASE("when the server is full, the oldest client without a request yields, of any uid") {
  ConnectionSlots slots({.connections = 2, .per_uid = 2, .actions = 1});
  fill(slots, 1, 1, kOther);
  slots.enter(2, kOther);
  const auto entry = slots.enter(3, kRoot);
  CHECK(entry.displaced == Id{2});
  CHECK(slots.begin_request(3, false));
}

TEST_CASE("a request that is being served is never displaced, and only actions get through") {
  ConnectionSlots slots({.connections = 2, .per_uid = 2, .actions = 1});
  fill(slots, 1, 2, kRoot);
  SECTION("an action") {
    CHECK(slots.enter(3, kRoot).admitted);
    CHECK(slots.begin_request(3, true));
    SECTION("a second one does not displace it") {
      CHECK_FALSE(slots.enter(4, kRoot).admitted);
      slots.leave(3);
      CHECK(slots.enter(4, kRoot).admitted);
    }
  }
  SECTION("anything else is refused") {
    CHECK(slots.enter(3, kRoot).admitted);
    CHECK_FALSE(slots.begin_request(3, false));
  }
  SECTION("a client that sends nothing does not keep the action slot") {
    CHECK(slots.enter(3, kRoot).admitted);
    CHECK(slots.enter(4, kRoot).displaced == Id{3});
    CHECK(slots.begin_request(4, true));
  }
}

TEST_CASE("a uid at its limit leaves the rest of the server to others") {
  ConnectionSlots slots({.connections = 4, .per_uid = 2, .actions = 1});
  fill(slots, 1, 2, kOther);
  CHECK(slots.enter(3, kOther).admitted);
  CHECK_FALSE(slots.begin_request(3, false));
  fill(slots, 4, 2, kRoot);
}

TEST_CASE("connections without a uid share the slots of the server alone") {
  ConnectionSlots slots({.connections = 4, .per_uid = 2, .actions = 0});
  fill(slots, 1, 4, ConnectionSlots::kNoUid);
  CHECK_FALSE(slots.enter(5, ConnectionSlots::kNoUid).admitted);
}

TEST_CASE("a connection that was displaced is not served") {
  ConnectionSlots slots({.connections = 1, .per_uid = 1, .actions = 0});
  slots.enter(1, kRoot);
  slots.enter(2, kRoot);
  CHECK_FALSE(slots.begin_request(1, true));
}

}  // namespace
}  // namespace claimsd::admin

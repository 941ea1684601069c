#include "daemon/fleet/host_table.h"

#include "tests/support/catch.h"

namespace claimsd::fleet {
namespace {

constexpr WallTime kNow(seconds(1'767'225'600));

HostTable::HostKey host(std::uint32_t number) {
  HostTable::HostKey key{};
  for (std::size_t at = 0; at < 4; ++at) key[at] = static_cast<std::uint8_t>(number >> (8 * at));
  return key;
}

proto::FleetRow row(WallTime at) {
  return {.redis_time = at.time_since_epoch().count(), .name = "host"};
}

TEST_CASE("a row is replaced by a newer one only") {
  HostTable table;
  CHECK(table.put(host(1), row(kNow), kNow) == HostTable::Put::kNew);
  CHECK(table.put(host(1), row(kNow), kNow) == HostTable::Put::kOld);
  CHECK(table.put(host(1), row(kNow - seconds(1)), kNow) == HostTable::Put::kOld);
  CHECK(table.put(host(1), row(kNow + seconds(1)), kNow) == HostTable::Put::kNewer);
  CHECK(table.size() == 1);
}

TEST_CASE("a row from far ahead or from before the retention is ignored") {
  HostTable table;
  CHECK(table.put(host(1), row(kNow + std::chrono::hours(1)), kNow) == HostTable::Put::kOld);
  CHECK(table.put(host(1), row(kNow - kHostRetention), kNow) == HostTable::Put::kOld);
  CHECK(table.size() == 0);
}

TEST_CASE("a host without a row for the retention leaves the table") {
  HostTable table;
  table.put(host(1), row(kNow), kNow);
  table.put(host(2), row(kNow + seconds(30)), kNow);
  CHECK(table.expire(kNow + kHostRetention - seconds(1)).empty());
  CHECK(table.expire(kNow + kHostRetention) == std::vector{host(1)});
  CHECK(table.size() == 1);
}

TEST_CASE("the table is bounded, and keeps the hosts that it has") {
  HostTable table;
  for (std::uint32_t number = 0; number < kMaxHosts; ++number)
    table.put(host(number), row(kNow), kNow);
  CHECK(table.put(host(kMaxHosts), row(kNow), kNow) == HostTable::Put::kFull);
  CHECK(table.put(host(7), row(kNow + seconds(1)), kNow) == HostTable::Put::kNewer);
  CHECK(table.size() == kMaxHosts);
}

}  // namespace
}  // namespace claimsd::fleet

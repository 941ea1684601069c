// Against real redis-server processes, with faults as they happen in production.
#include "daemon/fleet/bus_thread.h"

#include <fmt/core.h>

#include <algorithm>
#include <fstream>

#include "tests/fleet/bus_member.h"
#include "tests/support/catch.h"

namespace claimsd::fleet {
namespace {

using Kind = BusEvent::Kind;
using test::RedisServer;

TEST_CASE("what one host publishes, another receives, and finds in the hash") {
  const RedisServer server;
  Member one(server);
  Member other(server);
  one.next(Kind::kConnected);
  other.next(Kind::kConnected);
  one.bus->publish({"id-1", std::string("\0\r\nsealed", 9)});
  CHECK(other.next(Kind::kMessage).text == std::string("\0\r\nsealed", 9));
  one.bus->pulse("beat");
  CHECK(other.next(Kind::kPulse).text == "beat");
  other.bus->read_items();
  const BusEvent item = other.next(Kind::kItem);
  CHECK(item.name == "id-1");
  CHECK(item.text.size() == 9);
  other.next(Kind::kItemsRead);
  other.bus->drop_items({"id-1"});
  other.bus->count_items();
  CHECK(other.next(Kind::kItemCount).number == 0);
}

TEST_CASE("the time of the server is reported with this host's clocks at that moment") {
  const RedisServer server;
  Member member(server);
  const BusEvent connected = member.next(Kind::kConnected);
  CHECK(std::chrono::abs(connected.time - connected.at.wall) < seconds(2));
  CHECK(connected.name == endpoint_of(server).text());
  CHECK(member.next(Kind::kRedisTime).time > connected.time);
}

TEST_CASE("a hash of many items is read completely") {
  const RedisServer server;
  Member member(server);
  member.next(Kind::kConnected);
  constexpr std::size_t kItems = 20'000;
  for (std::size_t at = 0; at < kItems; at += kMaxBatch) {
    std::vector<Field> batch;
    for (std::size_t i = 0; i < kMaxBatch; ++i)
      batch.push_back({fmt::format("{:032x}", at + i), std::string(180, 'x')});
    member.bus->put_items(std::move(batch));
  }
  member.bus->count_items();
  REQUIRE(member.next(Kind::kItemCount).number == kItems);
  member.bus->read_items();
  std::size_t seen = 0;
  const BootTime before = member.clock.now().boot;
  for (bool read = false; !read;) {
    member.loop->run_once();
    for (; !member.events.empty(); member.events.pop_front()) {
      seen += member.events.front().kind == Kind::kItem ? 1 : 0;
      read = read || member.events.front().kind == Kind::kItemsRead;
    }
    REQUIRE(member.clock.now().boot - before < seconds(30));
  }
  CHECK(seen >= kItems);
}

TEST_CASE("a killed connection is replaced, and later messages arrive") {
  const RedisServer server;
  Member one(server);
  Member other(server);
  one.next(Kind::kConnected);
  other.next(Kind::kConnected);
  Admin(server).call({"CLIENT", "KILL", "TYPE", "normal"});
  other.next(Kind::kDisconnected);
  CHECK_FALSE(other.bus->status().connected);
  one.next(Kind::kDisconnected);
  one.next(Kind::kConnected);
  other.next(Kind::kConnected);
  one.bus->announce("after");
  CHECK(other.next(Kind::kMessage).text == "after");
}

TEST_CASE("a server that hangs is reported, and used again when it answers") {
  RedisServer server;
  Member member(server);
  member.next(Kind::kConnected);
  server.freeze();
  const BusEvent lost = member.next(Kind::kDisconnected);
  CHECK(lost.text.find("timed out") != std::string::npos);
  server.thaw();
  member.next(Kind::kConnected);
}

TEST_CASE("the loop never waits for a bus that hangs") {
  RedisServer server;
  Member member(server);
  member.next(Kind::kConnected);
  server.freeze();
  const BootTime before = member.clock.now().boot;
  for (std::size_t i = 0; i < 3 * BusThread::kMaxCommands; ++i)
    member.bus->publish({"id", std::string(200, 'x')});
  CHECK(member.clock.now().boot - before < milliseconds(500));
  CHECK(member.bus->status().dropped >= BusThread::kMaxCommands);
  server.thaw();
}

TEST_CASE("after FLUSHALL, entries are delivered even if their ids are lower") {
  const RedisServer server;
  Member member(server);
  member.next(Kind::kConnected);
  Admin admin(server);
  admin.call({"XADD", "{claimsd:test}:log", "99999999999999-0", "m", "future"});
  CHECK(member.next(Kind::kMessage).text == "future");
  admin.call({"FLUSHALL"});
  const BootTime deadline = member.clock.now().boot + seconds(5);
  member.next(Kind::kRedisTime);
  member.next(Kind::kRedisTime);
  while (member.events.empty() && member.clock.now().boot < deadline) {
    member.bus->announce("again");
    member.loop->run_once();
    std::erase_if(member.events, [](const BusEvent& e) { return e.kind != Kind::kMessage; });
  }
  CHECK(member.next(Kind::kMessage, seconds(1)).text == "again");
}

TEST_CASE(
    "a full server refuses writes, and the refusal is reported without losing the connection") {
  const RedisServer server({"maxmemory 1500kb", "maxmemory-policy noeviction"});
  Member member(server);
  member.next(Kind::kConnected);
  for (int i = 0; i < 40; ++i)
    member.bus->publish({fmt::format("{}", i), std::string(100'000, 'x')});
  CHECK(member.next(Kind::kWriteRefused, seconds(5)).text.find("OOM") != std::string::npos);
  CHECK(member.bus->status().connected);
  CHECK(member.bus->status().write_error.find("OOM") != std::string::npos);
}

TEST_CASE("a master without its replicas refuses writes, and another server is tried") {
  const RedisServer isolated({"min-replicas-to-write 1"});
  const RedisServer healthy;
  Member member({.servers = {endpoint_of(isolated), endpoint_of(healthy)}});
  CHECK(member.next(Kind::kConnected).name == endpoint_of(isolated).text());
  member.bus->pulse("beat");
  CHECK(member.next(Kind::kDisconnected, seconds(5)).text.find("NOREPLICAS") != std::string::npos);
  CHECK(member.next(Kind::kConnected).name == endpoint_of(healthy).text());
}

// The line of FLEET.md, for the fleet "test".
std::string documented_acl() {
  std::ifstream guide(CLAIMSD_FLEET_MD);
  for (std::string line; std::getline(guide, line);) {
    if (!line.starts_with("user claimsd on >PASSWORD ")) continue;
    const std::string fleet = "{claimsd:prod}";
    return line.replace(line.find(fleet), fleet.size(), "{claimsd:test}");
  }
  FAIL("FLEET.md has no ACL line");
  return {};
}

TEST_CASE("what the user of Redis may do too much or too little is reported") {
  const RedisServer server({documented_acl(), "user little on nopass ~{claimsd:test}:* +role"});
  std::ofstream(server.file("pw")) << "PASSWORD\n";
  const auto settings = [&](const std::string& user) {
    return redis::Settings{
        .servers = {endpoint_of(server)}, .user = user, .password_file = server.file("pw")};
  };
  CHECK(Member(settings("claimsd")).next(Kind::kConnected).text.empty());
  CHECK(Member(settings("default")).next(Kind::kConnected).text ==
        "read keys of others and change the server's configuration");
  const BusEvent refused = Member(settings("little")).next(Kind::kDisconnected);
  CHECK(refused.text.find("NOPERM") != std::string::npos);
}

TEST_CASE("the ACL line of the guide allows everything that a bus sends") {
  const RedisServer server({documented_acl()});
  std::ofstream(server.file("pw")) << "PASSWORD\n";
  Member member(
      {.servers = {endpoint_of(server)}, .user = "claimsd", .password_file = server.file("pw")});
  member.next(Kind::kConnected);
  member.bus->publish({"id-1", "item"});
  member.bus->announce("message");
  member.bus->pulse("beat");
  member.bus->put_row({"host-1", "row"});
  member.bus->put_items({{"id-2", "item"}});
  member.bus->drop_items({"id-1"});
  member.bus->drop_rows({"host-2"});
  member.bus->read_items();
  member.bus->read_rows();
  member.bus->count_items();
  bool rows_read = false;
  bool counted = false;
  const BootTime deadline = member.clock.now().boot + seconds(10);
  while (!(rows_read && counted) && member.clock.now().boot < deadline) {
    member.loop->run_once();
    for (; !member.events.empty(); member.events.pop_front()) {
      const BusEvent& event = member.events.front();
      INFO(event.text);
      REQUIRE(event.kind != Kind::kWriteRefused);
      REQUIRE(event.kind != Kind::kDisconnected);
      rows_read |= event.kind == Kind::kRowsRead;
      counted |= event.kind == Kind::kItemCount;
    }
  }
  CHECK(rows_read);
  CHECK(counted);
}

TEST_CASE("commands of an earlier connection are not sent on a later one") {
  RedisServer server;
  Member member(server);
  member.next(Kind::kConnected);
  server.freeze();
  for (int i = 0; i < 100; ++i) member.bus->count_items();  // more than are sent at once
  member.next(Kind::kDisconnected);
  member.bus->count_items();  // dropped: there is no connection
  server.thaw();
  member.next(Kind::kConnected);
  const auto has = [&](Kind kind) {
    return std::any_of(member.events.begin(), member.events.end(),
                       [&](const BusEvent& event) { return event.kind == kind; });
  };
  const BootTime deadline = member.clock.now().boot + seconds(5);
  while (!has(Kind::kRedisTime) && member.clock.now().boot < deadline) member.loop->run_once();
  CHECK(has(Kind::kRedisTime));
  CHECK_FALSE(has(Kind::kItemCount));
}

}  // namespace
}  // namespace claimsd::fleet

// bus_member.h: a bus with a loop of its own, and commands of an administrator, for tests with real
// Redis servers.
#pragma once

#include <deque>

#include "daemon/fleet/bus_thread.h"
#include "daemon/loop/timer.h"
#include "tests/support/catch.h"
#include "tests/support/redis_server.h"

namespace claimsd::fleet {

inline redis::Endpoint endpoint_of(const test::RedisServer& server) {
  return {"127.0.0.1", server.port(), false};
}

// A bus, its loop and the events it has delivered.
struct Member {
  explicit Member(redis::Settings servers)
      : bus(BusThread::create({.fleet = "test", .servers = std::move(servers)}, *loop, clock,
                              [this](BusEvent&& event) { events.push_back(std::move(event)); })
                .value()) {
    tick.start(milliseconds(20), milliseconds(20));
  }
  explicit Member(const test::RedisServer& server)
      : Member(redis::Settings{.servers = {endpoint_of(server)}}) {}

  // The next event of this kind; others before it are dropped.
  BusEvent next(BusEvent::Kind kind, Duration patience = seconds(10)) {
    const BootTime deadline = clock.now().boot + patience;
    while (clock.now().boot < deadline) {
      while (!events.empty()) {
        BusEvent event = std::move(events.front());
        events.pop_front();
        if (event.kind == kind) return event;
      }
      loop->run_once();
    }
    FAIL("no event of kind " << static_cast<int>(kind));
    return {};
  }

  SystemClock clock;
  std::unique_ptr<loop::Loop> loop = loop::Loop::create().value();
  loop::Timer tick{*loop, [] {}};  // ends the waits of run_once()
  std::deque<BusEvent> events;
  std::unique_ptr<BusThread> bus;
};

// Commands of an administrator.
struct Admin {
  explicit Admin(const test::RedisServer& server)
      : servers({.servers = {endpoint_of(server)}}, wait) {}
  redis::Value call(std::initializer_list<std::string_view> arguments) {
    redis::Connection connection = servers.connect().value();
    return connection.call(arguments, clock.now().boot + seconds(10)).value();
  }
  SystemClock clock;
  redis::Wait wait{clock};
  redis::Servers servers;
};

}  // namespace claimsd::fleet

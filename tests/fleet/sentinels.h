// sentinels.h: a master, a replica and three Sentinels on loopback, and fail-overs on demand. For
// tests; CLAIMSD_FLEET_FAILOVERS sets how many fail-overs they order, 1 by default.
#pragma once

#include <cstdlib>

#include "tests/fleet/bus_member.h"

namespace claimsd::fleet {

inline int failovers() {
  const char* const text = std::getenv("CLAIMSD_FLEET_FAILOVERS");
  return text == nullptr ? 1 : std::atoi(text);
}

struct Sentinels {
  Sentinels() {
    // Sentinels look for replicas every ten seconds: the first look is to find it.
    Admin admin(first);
    while (admin.call({"ROLE"}).items.at(2).items.empty())
      admin.wait.any({}, admin.clock.now().boot + milliseconds(20));
    const std::string monitor =
        "sentinel monitor mymaster 127.0.0.1 " + std::to_string(first.port()) + " 2";
    for (int i = 0; i < 3; ++i)
      sentinels.push_back(std::make_unique<test::RedisServer>(
          std::vector<std::string>{monitor, "sentinel down-after-milliseconds mymaster 1000",
                                   "sentinel failover-timeout mymaster 2000"},
          "redis-sentinel"));
  }
  redis::Settings settings() const {
    redis::Settings made{.master = "mymaster"};
    for (const auto& sentinel : sentinels) made.sentinels.push_back(endpoint_of(*sentinel));
    return made;
  }
  // Orders a fail-over. The Sentinels accept it once they have found the replica.
  void fail_over() {
    SystemClock clock;
    const redis::Wait wait(clock);
    redis::Resolver resolver;
    const redis::Credentials credentials = redis::read_credentials({}).value();
    for (int tries = 0; tries < 300; ++tries) {
      const BootTime deadline = clock.now().boot + seconds(5);
      redis::Connection sentinel = redis::Connection::open(endpoint_of(*sentinels.front()),
                                                           credentials, resolver, wait, deadline)
                                       .value();
      if (sentinel.call({"SENTINEL", "FAILOVER", "mymaster"}, deadline).value().is_status("OK"))
        return;
      wait.any({}, clock.now().boot + milliseconds(100));
    }
    FAIL("the Sentinels accept no fail-over");
  }

  test::RedisServer first;
  test::RedisServer second{{"replicaof 127.0.0.1 " + std::to_string(first.port())}};
  std::vector<std::unique_ptr<test::RedisServer>> sentinels;
};

}  // namespace claimsd::fleet

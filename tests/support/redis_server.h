// redis_server.h: a real redis-server or redis-sentinel on a loopback port, without persistence.
//
// Ends with the object, or with the process that started it. Throws std::runtime_error if it cannot
// be started.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

#include "tests/support/scratch_directory.h"

namespace claimsd::test {

// A port of 127.0.0.1 that nothing listens on, below those of outgoing connections (ip(7)).
std::uint16_t free_port();

class RedisServer {
 public:
  // `settings`: lines of redis.conf(5). `program`: "redis-server" or "redis-sentinel".
  explicit RedisServer(const std::vector<std::string>& settings = {},
                       const std::string& program = "redis-server");
  ~RedisServer();
  RedisServer(const RedisServer&) = delete;
  RedisServer& operator=(const RedisServer&) = delete;

  std::uint16_t port() const { return port_; }
  std::string file(const std::string& name) const { return directory_.path() + "/" + name; }
  // Stops the process where it is, and lets it continue.
  void freeze();
  void thaw();

 private:
  void wait_until_ready() const;

  testing::ScratchDirectory directory_;
  std::uint16_t port_;
  pid_t pid_ = -1;
};

}  // namespace claimsd::test

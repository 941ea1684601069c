// servers.h: finds the master among the configured servers, or asks Sentinels for it, and connects.
// Owned by the bus; one thread.
//
// A server that says it is no master is not used: ROLE is asked on each connection, because a
// Sentinel may name a server that has been demoted since. An isolated master still says that it is
// one: only a write shows whether it is.
#pragma once

#include <optional>
#include <string>

#include "daemon/redis/connection.h"
#include "daemon/redis/settings.h"

namespace claimsd::redis {

class Servers {
 public:
  Servers(Settings settings, const Wait& wait) : settings_(std::move(settings)), wait_(wait) {}

  // Tries each server once. The error is the one of the last server.
  Result<Connection> connect();
  // Another connection to the same server.
  Result<Connection> connect_to(const Endpoint& endpoint);

  // An Error if the Sentinels now name another master: after a fail-over the old one accepts writes
  // for some seconds. Sentinels that do not answer are asked again after kSentinelPause.
  Status confirm(const Endpoint& master);
  static constexpr Duration kSentinelPause = seconds(10);
  // The next connect() begins with another server or Sentinel.
  void try_another_first() { ++next_; }

  const Settings& settings() const { return settings_; }

 private:
  // Connects to the Sentinel, and keeps the connection.
  Result<Endpoint> ask(const Endpoint& sentinel, const Credentials& credentials);
  Result<Endpoint> ask_again();
  Result<Connection> open(const Endpoint& endpoint, const Credentials& credentials);

  Settings settings_;
  Wait wait_;
  Resolver resolver_;
  std::size_t next_ = 0;                // the server or Sentinel to try first
  std::optional<Connection> sentinel_;  // the last one asked
  BootTime next_confirmation_{};
};

}  // namespace claimsd::redis

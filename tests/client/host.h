// host.h: a scripted daemon and a client of it.
#pragma once

#include "client/include/claimsd.hpp"
#include "tests/support/fake_daemon.h"
#include "tests/support/scratch_directory.h"

namespace claimsd::testing {

using namespace std::chrono_literals;

struct Host {
  explicit Host(FakeDaemon::Script script = serve_tokens_as_ids, std::uint32_t max_connections = 0)
      : daemon(directory / "claims.sock", std::move(script)),
        client({.socket_path = daemon.path(), .timeout = 30s, .max_connections = max_connections}) {
  }

  ScratchDirectory directory;
  FakeDaemon daemon;
  Client client;
};

// A script that welcomes and gives every question the same answer.
inline FakeDaemon::Script always(proto::Answer answer, std::string block = {}) {
  return [answer, block = std::move(block)](Peer& peer) {
    proto::Answer sent = answer;
    sent.claims = block;
    if (!peer.welcome()) return;
    while (const auto frame = peer.receive()) peer.send(sent, frame->header.request_id);
  };
}

// A script that answers the Hello with a Failure.
inline FakeDaemon::Script always_fails(proto::FailureCode code) {
  return [code](Peer& peer) {
    if (peer.receive()) peer.send(proto::Failure{.code = static_cast<std::uint16_t>(code)}, 0);
  };
}

}  // namespace claimsd::testing

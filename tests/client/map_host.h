// map_host.h: a daemon that passes a map, and a client of it. Answers over the socket say "cache",
// so that each test sees where an answer came from.
#pragma once

#include <atomic>

#include "tests/client/host.h"
#include "tests/support/map_writer.h"

namespace claimsd::testing {

// A token that is long enough to be published (kMinPublishedToken).
inline std::string long_token(int number = 0) {
  return "eyJhbGciOiJIUzI1NiJ9.eyJqdGkiOiI0MiJ9." + std::to_string(1000 + number);
}

// Whose it is: another's for each token.
inline std::string id_of(std::string_view token) {
  return "id-" + std::string(token.substr(0, 200));
}

// How a daemon greets.
struct Greeting {
  std::uint64_t features = proto::kFeatureSharedMap;
  std::int64_t clock_ahead = 0;  // ns
  std::uint16_t upstream = 7;
  std::vector<int> fds;  // before the map's
  bool pass_map = true;
};

class MapHost {
 public:
  explicit MapHost(const ClientOptions& options = {}, const MapOptions& first_map = {},
                   const Greeting& how = {})
      : greeting(how), map(std::make_unique<MapWriter>(first_map)), client(with_path(options)) {}

  // Its first question connects, over the socket, and brings the map.
  void meet() { static_cast<void>(client.query("a token that is short")); }

  void publish(std::string_view token, const LeaseOptions& lease = {}) {
    map->publish(token, claims_block(id_of(token)), lease);
  }
  // Publishes and asks: shared once, then local.
  Source ask(std::string_view token, const QueryOptions& options = {}) {
    const Answer answer = client.query(token, options);
    if (answer.valid() && answer.claims().id() == id_of(token)) return answer.source();
    return Source::kNone;
  }

  // A daemon that restarts: with another map, or none.
  void restart(std::unique_ptr<MapWriter> next) {
    daemon.stop();
    map = std::move(next);
    daemon.start();
  }

  ScratchDirectory directory;
  Greeting greeting;
  std::atomic<int> refused_uid = -1;  // of clients that get no welcome
  std::unique_ptr<MapWriter> map;
  FakeDaemon daemon{directory / "claims.sock", [this](Peer& peer) { serve(peer); }};
  Client client;

 private:
  ClientOptions with_path(ClientOptions options) const {
    options.socket_path = daemon.path();
    options.timeout = Milliseconds(30'000);
    return options;
  }

  void serve(Peer& peer) {
    const auto hello = peer.receive();
    if (!hello) return;
    if (peer.uid() == refused_uid) {
      peer.send(proto::Failure{.code = static_cast<std::uint16_t>(proto::FailureCode::kNotAllowed)},
                0);
      return;
    }
    const auto said = hello->as<proto::Hello>();
    const proto::Welcome welcome{
        .version = proto::kVersion,
        .features = said->features & greeting.features,
        .boot_time_ns = boot_now() + static_cast<std::uint64_t>(greeting.clock_ahead),
        .daemon_version = "fake",
        .upstream_name = "main",
        .upstream_id = greeting.upstream};
    std::vector<int> fds = greeting.fds;
    if (greeting.pass_map && welcome.features != 0) fds.push_back(map->fd());
    if (!peer.send_with(welcome, hello->header.request_id, fds)) return;
    while (const auto frame = peer.receive()) {
      const auto query = frame->as<proto::Query>();
      if (!query) return;
      const std::string block = claims_block(id_of(query->token));
      peer.send(valid_answer(block), frame->header.request_id);
    }
  }
};

}  // namespace claimsd::testing

// The daemon restarts, stops, or hangs up: what a question still may do, and when it gives up.
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "tests/client/stream_helpers.h"
#include "tests/support/catch.h"

namespace claimsd::testing {
namespace {

using Clock = std::chrono::steady_clock;

TEST_CASE("a missing daemon is reported immediately") {
  ScratchDirectory directory;
  const Client client({.socket_path = directory / "none.sock"});
  const auto start = Clock::now();
  const Answer answer = client.query("t", {.timeout = 5s});
  CHECK(answer.unavailable());
  CHECK(answer.reason() == "no_daemon");
  CHECK(Clock::now() - start < 900ms);
}

TEST_CASE("a socket file without a listener means no daemon") {
  Host host;
  // Two daemons on one path in turn: the file that is left is the second one's, closed.
  host.daemon.stop();
  const int fd = socket(AF_UNIX, SOCK_STREAM, 0);
  sockaddr_un address{.sun_family = AF_UNIX, .sun_path = {}};
  host.daemon.path().copy(address.sun_path, sizeof address.sun_path - 1);
  REQUIRE(bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
  close(fd);
  CHECK(host.client.query("t").reason() == "no_daemon");
}

TEST_CASE("a daemon that restarted is asked again on a new connection, unnoticed by the caller") {
  Host host;
  REQUIRE(host.client.query("before").valid());
  host.daemon.stop();
  host.daemon.start();
  const Answer answer = host.client.query("after");
  REQUIRE(answer.valid());
  CHECK(answer.claims().id() == "after");
  CHECK(host.daemon.connections() == 2);
}

TEST_CASE("a question that was out when the daemon hung up is asked once more") {
  Host host([](Peer& peer) {
    if (peer.number() > 0) return serve_tokens_as_ids(peer);
    peer.welcome();
    peer.receive();
  });
  CHECK(host.client.query("t").valid());
  CHECK(host.daemon.connections() == 2);
}

TEST_CASE("a second loss is the end of a question") {
  std::atomic<int> asked = 0;
  Host host([&asked](Peer& peer) {
    peer.welcome();
    if (peer.receive()) ++asked;
  });
  const Answer answer = host.client.query("t");
  CHECK(answer.unavailable());
  CHECK(answer.reason() == "disconnected");
  CHECK(asked == 2);
}

TEST_CASE("a daemon that hangs up before its welcome is tried twice") {
  Host host([](Peer& peer) { peer.receive(); });
  CHECK(host.client.query("t").reason() == "disconnected");
  CHECK(host.daemon.connections() == 2);
}

TEST_CASE("a daemon that says it is stopping is asked again") {
  Host host([](Peer& peer) {
    if (peer.number() > 0) return serve_tokens_as_ids(peer);
    peer.welcome();
    peer.receive();
    peer.send(proto::Failure{.code = static_cast<std::uint16_t>(proto::FailureCode::kStopping)}, 0);
  });
  CHECK(host.client.query("t").valid());
}

TEST_CASE("a daemon may take a moment to restart") {
  Host host;
  REQUIRE(host.client.query("before").valid());
  host.daemon.stop();
  std::thread restart([&] {
    std::this_thread::sleep_for(100ms);
    host.daemon.start();
  });
  const Answer answer = host.client.query("after");
  restart.join();
  CHECK(answer.valid());
}

// No query was in flight when the daemon stopped, so no broken connection shows that it ran before.
TEST_CASE("a query waits for a daemon that restarts, also on a stream that was never connected") {
  Host host;
  REQUIRE(host.client.query("before").valid());
  host.daemon.stop();
  Stream stream(host.client);
  REQUIRE(stream.send("after", 1));
  CHECK_FALSE(stream.receive().has_value());
  host.daemon.start();
  CHECK(receive_one(stream).answer.valid());
}

TEST_CASE("a daemon that does not come back is no daemon, after a second or the deadline") {
  Host host;
  REQUIRE(host.client.query("before").valid());
  host.daemon.stop();
  auto start = Clock::now();
  CHECK(host.client.query("t", {.timeout = 60ms}).reason() == "no_daemon");
  CHECK(Clock::now() - start >= 60ms);
  CHECK(Clock::now() - start < 900ms);
  CHECK(host.client.query("t", {.timeout = 10s}).reason() == "no_daemon");
  CHECK(Clock::now() - start >= 1s);
  CHECK(Clock::now() - start < 5s);
  start = Clock::now();
  CHECK(host.client.query("t", {.timeout = 10s}).reason() == "no_daemon");
  CHECK(Clock::now() - start < 900ms);
}

TEST_CASE("a connection from before a restart does not cost a question its one retry") {
  // Two connections, and a restart. One question finds out, and is held on its new connection;
  // another then meets the second old connection, and a new one that breaks.
  std::atomic<int> out = 0;
  std::atomic<bool> release = false;
  Host host([&](Peer& peer) {
    if (!peer.welcome()) return;
    while (const auto frame = peer.receive()) {
      const std::string token(frame->as<proto::Query>()->token);
      if (token == "breaks" && peer.number() == 3) return;
      ++out;
      while (token == "together" && out < 2) std::this_thread::yield();
      while (token == "held" && !release) std::this_thread::yield();
      peer.send(valid_answer(claims_block(token)), frame->header.request_id);
    }
  });
  std::thread other([&] { host.client.query("together"); });
  host.client.query("together");
  other.join();
  REQUIRE(host.daemon.connections() == 2);
  host.daemon.stop();
  host.daemon.start();
  out = 0;
  std::thread held([&] { host.client.query("held"); });
  while (out == 0) std::this_thread::yield();
  CHECK(host.client.query("breaks").valid());
  CHECK(host.daemon.connections() == 5);
  release = true;
  held.join();
}

struct FailureRow {
  proto::FailureCode code;
  const char* reason;
};

TEST_CASE("what the daemon refuses to a client has its reason") {
  const FailureRow rows[] = {
      {proto::FailureCode::kNotAllowed, "not_permitted"},
      {proto::FailureCode::kUnknownUpstream, "wrong_upstream"},
      {proto::FailureCode::kVersionMismatch, "protocol"},
      {proto::FailureCode::kHelloExpected, "protocol"},
      {proto::FailureCode::kTooManyPeers, "too_many_connections"},
      {proto::FailureCode::kTooManyOfUid, "too_many_connections_of_uid"},
      {proto::FailureCode::kConnectsTooFast, "connects_too_fast"},
      {proto::FailureCode::kNotConfigured, "not_configured"},
      {static_cast<proto::FailureCode>(999), "protocol"},
  };
  for (const FailureRow& row : rows) {
    Host host(always_fails(row.code));
    const Answer answer = host.client.query("t");
    CHECK(answer.unavailable());
    CHECK(answer.reason() == row.reason);
    CHECK(host.daemon.connections() == 1);
  }
}

TEST_CASE("where the daemon accepts no more connections, threads share those that there are") {
  const auto code = GENERATE(proto::FailureCode::kTooManyPeers, proto::FailureCode::kTooManyOfUid,
                             proto::FailureCode::kConnectsTooFast);
  std::atomic<int> refused = 0;
  Host host([&refused, code](Peer& peer) {
    if (peer.number() == 0) return serve_tokens_as_ids(peer);
    if (peer.receive()) {
      ++refused;
      peer.send(proto::Failure{.code = static_cast<std::uint16_t>(code)}, 0);
    }
  });
  REQUIRE(host.client.query("first").valid());
  std::atomic<int> wrong = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&] {
      for (int j = 0; j < 100; ++j)
        wrong += host.client.query("t", {.timeout = 30s}).valid() ? 0 : 1;
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(wrong == 0);
  CHECK(refused < 100);
}

TEST_CASE("a failure of one question leaves the caller with its reason") {
  Host host([](Peer& peer) {
    peer.welcome();
    const auto frame = peer.receive();
    peer.send(proto::Failure{.code = static_cast<std::uint16_t>(proto::FailureCode::kTooManyOpen)},
              frame->header.request_id);
    peer.receive();
  });
  CHECK(host.client.query("t").reason() == "overloaded");
}

TEST_CASE("the client says who it is and which Auth API it expects") {
  ScratchDirectory directory;
  std::string name;
  std::string url;
  FakeDaemon daemon(directory / "s", [&](Peer& peer) {
    const auto frame = peer.receive();
    const auto hello = frame->as<proto::Hello>();
    name = hello->client_name;
    url = hello->upstream_url;
    peer.send(
        proto::Failure{.code = static_cast<std::uint16_t>(proto::FailureCode::kUnknownUpstream)},
        0);
  });
  const Client client({.socket_path = daemon.path(),
                       .upstream_url = "https://auth.example.com",
                       .client_name = "lumen"});
  CHECK(client.query("t").reason() == "wrong_upstream");
  daemon.stop();
  CHECK(name == "lumen");
  CHECK(url == "https://auth.example.com");
}

}  // namespace
}  // namespace claimsd::testing

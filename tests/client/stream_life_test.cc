// Streams while the daemon comes, goes and misbehaves.
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/client/stream_helpers.h"
#include "tests/support/catch.h"

namespace claimsd::testing {
namespace {

TEST_CASE("a stream finds no daemon at once, and one that has come by the next question") {
  ScratchDirectory directory;
  const Client client({.socket_path = directory / "s"});
  Stream stream(client);
  REQUIRE(stream.send("t", 1));
  CHECK(receive_one(stream).answer.reason() == "no_daemon");
  const FakeDaemon daemon(directory / "s", serve_tokens_as_ids);
  REQUIRE(stream.send("t", 2));
  CHECK(receive_one(stream).answer.valid());
}

TEST_CASE(
    "queries that were out when the daemon restarted are asked again, on the same descriptor") {
  Host host([](Peer& peer) {
    if (peer.number() > 0) return serve_tokens_as_ids(peer);
    peer.welcome();
    for (int i = 0; i < 100; ++i) peer.receive();  // all of them, answering none
  });
  Stream stream(host.client);
  const int fd = stream.fd();
  for (std::uint64_t tag = 0; tag < 100; ++tag)
    REQUIRE(stream.send("user-" + std::to_string(tag), tag));
  for (auto& [tag, answer] : receive_all(stream)) {
    CHECK(answer.valid());
    CHECK(answer.claims().id() == "user-" + std::to_string(tag));
  }
  CHECK(stream.fd() == fd);
  CHECK(host.daemon.connections() == 2);
}

TEST_CASE("a query in a stream fails after a second lost connection") {
  Host host([](Peer& peer) {
    peer.welcome();
    peer.receive();
  });
  Stream stream(host.client);
  REQUIRE(stream.send("t", 1));
  CHECK(receive_one(stream).answer.reason() == "disconnected");
  CHECK(host.daemon.connections() == 2);
}

TEST_CASE("a daemon that hangs up on a stream before its welcome is tried twice") {
  Host host([](Peer& peer) { peer.receive(); });
  Stream stream(host.client);
  REQUIRE(stream.send("t", 1));
  CHECK(receive_one(stream).answer.reason() == "disconnected");
  CHECK(host.daemon.connections() == 2);
}

TEST_CASE("a stream waits for a daemon that restarts") {
  Host host;
  Stream stream(host.client);
  REQUIRE(stream.send("before", 1));
  REQUIRE(receive_one(stream).answer.valid());
  host.daemon.stop();
  std::thread restart([&] {
    std::this_thread::sleep_for(100ms);
    host.daemon.start();
  });
  REQUIRE(stream.send("after", 2));
  const auto completed = receive_one(stream);
  restart.join();
  CHECK(completed.answer.valid());
}

TEST_CASE("a stream that idled through a restart notices with the next question") {
  Host host;
  Stream stream(host.client);
  REQUIRE(stream.send("before", 1));
  REQUIRE(receive_one(stream).answer.valid());
  host.daemon.stop();
  host.daemon.start();
  REQUIRE(stream.send("after", 2));
  CHECK(receive_one(stream).answer.valid());
}

TEST_CASE("a child that still holds the old socket does not keep the descriptor readable") {
  Host host;
  Stream stream(host.client);
  REQUIRE(stream.send("before", 1));
  REQUIRE(receive_one(stream).answer.valid());
  int hold[2];
  REQUIRE(pipe2(hold, O_CLOEXEC) == 0);
  const pid_t child = fork();
  if (child == 0) {
    close(hold[1]);
    char byte = 0;
    _exit(read(hold[0], &byte, 1) == 0 ? 0 : 1);
  }
  host.daemon.stop();
  host.daemon.start();
  REQUIRE(stream.send("after", 2));
  REQUIRE(receive_one(stream).answer.valid());
  while (stream.receive()) {
  }
  pollfd readable{.fd = stream.fd(), .events = POLLIN, .revents = 0};
  CHECK(poll(&readable, 1, 50) == 0);
  close(hold[0]);
  close(hold[1]);
  int status = -1;
  waitpid(child, &status, 0);
  CHECK(status == 0);
}

TEST_CASE(
    "a daemon that does not come back is no daemon to a stream, after a second or the deadline") {
  Host host;
  Stream stream(host.client);
  REQUIRE(stream.send("before", 1));
  REQUIRE(receive_one(stream).answer.valid());
  host.daemon.stop();
  const auto start = std::chrono::steady_clock::now();
  REQUIRE(stream.send("short", 2, {.timeout = 50ms}));
  REQUIRE(stream.send("long", 3, {.timeout = 20s}));
  const auto first = receive_one(stream);
  CHECK(first.tag == 2);
  CHECK(first.answer.reason() == "no_daemon");
  CHECK(receive_one(stream).answer.reason() == "no_daemon");
  const auto took = std::chrono::steady_clock::now() - start;
  CHECK(took >= 900ms);
  CHECK(took < 10s);
}

TEST_CASE("what the daemon refuses to a stream has its reason, for every question") {
  Host host(always_fails(proto::FailureCode::kNotAllowed));
  Stream stream(host.client);
  REQUIRE(stream.send("t", 1));
  REQUIRE(stream.send("t", 2));
  for (auto& [tag, answer] : receive_all(stream)) CHECK(answer.reason() == "not_permitted");
}

TEST_CASE("a daemon that says it is stopping is asked again by a stream") {
  Host host([](Peer& peer) {
    if (peer.number() > 0) return serve_tokens_as_ids(peer);
    peer.welcome();
    peer.receive();
    peer.send(proto::Failure{.code = static_cast<std::uint16_t>(proto::FailureCode::kStopping)}, 0);
    peer.receive();
  });
  Stream stream(host.client);
  REQUIRE(stream.send("t", 1));
  CHECK(receive_one(stream).answer.valid());
}

TEST_CASE("nonsense from the daemon ends a stream's questions, and the next one starts afresh") {
  Host host([](Peer& peer) {
    if (peer.number() > 0) return serve_tokens_as_ids(peer);
    peer.welcome();
    peer.receive();
    peer.send_bytes("this is not a frame, whatever else it may be");
    peer.receive();
  });
  Stream stream(host.client);
  REQUIRE(stream.send("t", 1));
  CHECK(receive_one(stream).answer.reason() == "protocol");
  REQUIRE(stream.send("t", 2));
  CHECK(receive_one(stream).answer.valid());
}

TEST_CASE("a welcome to another version is a protocol error to a stream") {
  Host host([](Peer& peer) {
    peer.receive();
    peer.send(proto::Welcome{.version = proto::kVersion + 1}, 1);
    peer.receive();
  });
  Stream stream(host.client);
  REQUIRE(stream.send("t", 1));
  CHECK(receive_one(stream).answer.reason() == "protocol");
}

TEST_CASE("an answer split anywhere reaches a stream whole") {
  Host host([](Peer& peer) {
    peer.welcome();
    const auto frame = peer.receive();
    const std::string block = claims_block("user-1");
    std::string answer(proto::kMaxFrame, '\0');
    answer.resize(
        proto::encode(valid_answer(block), frame->header.request_id, answer.data(), answer.size()));
    for (const char byte : answer) peer.send_bytes({&byte, 1});
    peer.receive();
  });
  Stream stream(host.client);
  REQUIRE(stream.send("t", 1));
  const auto completed = receive_one(stream);
  CHECK(completed.answer.claims().id() == "user-1");
}

TEST_CASE("closing a stream with open questions leaves the handle usable") {
  Host host;
  {
    Stream stream(host.client);
    for (std::uint64_t tag = 0; tag < 10; ++tag) REQUIRE(stream.send("t", tag));
  }
  CHECK(host.client.query("t").valid());
}

TEST_CASE("a stream over a full backlog waits its turn and does not block") {
  ScratchDirectory directory;
  // A listener that accepts nobody: its backlog of one fills, and stays full.
  const int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_un address{.sun_family = AF_UNIX, .sun_path = {}};
  (directory / "s").copy(address.sun_path, sizeof address.sun_path - 1);
  REQUIRE(bind(listener, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
  REQUIRE(listen(listener, 0) == 0);
  const Client client({.socket_path = directory / "s"});
  Stream first(client);
  Stream second(client);
  REQUIRE(first.send("t", 1, {.timeout = 60ms}));
  REQUIRE(second.send("t", 2, {.timeout = 60ms}));
  CHECK(receive_one(second).answer.reason() == "timeout");
  CHECK(receive_one(first).answer.reason() == "timeout");
  close(listener);
}

}  // namespace
}  // namespace claimsd::testing

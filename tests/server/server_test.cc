// The server with real sockets: when answers outside of a client's own input are sent.
#include "daemon/server/server.h"

#include <sys/socket.h>

#include <array>

#include "tests/loop/sockets.h"
#include "tests/server/session_fixture.h"
#include "tests/support/loop_runner.h"
#include "tests/support/scratch_directory.h"

namespace claimsd::server {
namespace {

// Many times what the server needs to close a connection whose time is up.
constexpr Duration kSoon = seconds(6);

// A worker that reads only what has arrived.
class Peer {
 public:
  Peer(loop::Loop& loop, const std::string& path) : loop_(loop), fd_(test::connect_to(path)) {
    REQUIRE(fd_);
    send(hello());
    test::run_until(loop_, [&] { return frames() == 1; });
    bytes_.clear();
  }
  void send(const std::string& bytes) { test::send_all(fd_, bytes); }
  // Whether the server has closed the connection, after what it sent before.
  bool closed() {
    std::array<char, 4096> some;
    const ssize_t got = recv(fd_.get(), some.data(), some.size(), MSG_DONTWAIT);
    return got == 0 || (got < 0 && errno == ECONNRESET);
  }
  // Complete answers so far; other frames are not counted.
  std::size_t answers() { return count(proto::MessageType::kAnswer); }
  std::size_t pongs() { return count(proto::MessageType::kPong); }

 private:
  std::size_t frames() { return count({}); }
  std::size_t count(std::optional<proto::MessageType> type) {
    std::array<char, 4096> some;
    for (ssize_t got = 1; got > 0;) {
      got = recv(fd_.get(), some.data(), some.size(), MSG_DONTWAIT);
      if (got > 0) bytes_.append(some.data(), static_cast<std::size_t>(got));
    }
    std::size_t found = 0;
    proto::FrameHeader header;
    for (std::string_view rest = bytes_;
         proto::frame_status(rest, header) == proto::FrameStatus::kComplete;
         rest.remove_prefix(header.frame_size())) {
      if (!type || header.type == static_cast<std::uint16_t>(*type)) ++found;
    }
    return found;
  }

  loop::Loop& loop_;
  Fd fd_;
  std::string bytes_;
};

struct Served {
  explicit Served(Settings settings = {}) {
    auto made = Server::create(*loop, std::move(settings), log);
    REQUIRE(made);
    server = std::move(*made);
    server->connect({.service = *harness.service,
                     .clock = harness.clock,
                     .daemon_version = "1",
                     .find_upstream = [](std::string_view) {
                       return UpstreamName{0, "main"};
                     }});
    REQUIRE(server->open(loop::ListenOptions{.path = path}));
  }

  // A connection whose queries are all waiting. `number`: order of arrival.
  std::unique_ptr<Peer> connect(std::uint64_t number, std::uint32_t queries) {
    auto peer = std::make_unique<Peer>(*loop, path);
    for (std::uint32_t request = 1; request <= queries; ++request) {
      harness.sink.expect({number, request});
      peer->send(query("token-" + std::to_string(number) + std::to_string(request), request));
    }
    asked += queries;
    test::run_until(*loop, [&] { return harness.counters().queries == asked; });
    return peer;
  }
  // Sends more frames than one iteration handles, so some are deferred.
  void keep_busy(Peer& peer) {
    std::string pings;
    for (std::uint32_t request = 1000; request < 1000 + 3 * Session::kFramesPerIteration; ++request)
      pings += frame(proto::Ping{.echo = 1}, request);
    peer.send(pings);
    test::run_until(*loop, [&] { return peer.pongs() > 0; });
    REQUIRE(peer.pongs() < 3 * Session::kFramesPerIteration);
  }
  void answer(std::uint64_t number, std::uint32_t request) {
    server->answer({number, request}, claims::Answer{.reason = proto::Reason::kRejected});
  }

  claimsd::testing::ScratchDirectory directory;
  const std::string path = directory.path() + "/claims.sock";
  std::unique_ptr<loop::Loop> loop = test::new_loop();
  NullLog log;
  claimsd::testing::ServiceHarness harness;
  std::uint64_t asked = 0;
  std::unique_ptr<Server> server;  // destroyed first
};

TEST_CASE("without a write batch an answer is sent immediately") {
  Served test;
  const auto peer = test.connect(1, 1);
  test.answer(1, 1);
  CHECK(peer->answers() == 1);
}

TEST_CASE("a write batch is flushed at its end, all connections in full") {
  Served test;
  const auto first = test.connect(1, 3);
  const auto second = test.connect(2, 2);
  {
    const Server::WriteBatch together(*test.server, false);
    for (std::uint32_t request : {1u, 2u}) {
      test.answer(1, request);
      test.answer(2, request);
    }
    test.answer(1, 3);
    CHECK(first->answers() + second->answers() == 0);
    CHECK_FALSE(test.server->drained());
  }
  CHECK(first->answers() == 3);
  CHECK(second->answers() == 2);
  CHECK(test.server->drained());
}

TEST_CASE("a busy connection's batch is sent after all others, in a later iteration") {
  Served test;
  const auto busy = test.connect(1, 2);
  const auto other = test.connect(2, 2);
  test.keep_busy(*busy);
  {
    const Server::WriteBatch some(*test.server, false);
    test.answer(1, 1);
    test.answer(2, 1);
  }
  CHECK(other->answers() == 1);
  CHECK(busy->answers() == 0);
  {
    const Server::WriteBatch rest(*test.server, true);
    test.answer(2, 2);
    test.answer(1, 2);
  }
  CHECK(other->answers() == 2);
  CHECK(busy->answers() == 0);
  test::run_until(*test.loop, [&] { return busy->answers() > 0; });
  CHECK(busy->answers() == 2);
}

TEST_CASE(
    "a valid answer to a busy connection is sent immediately, because a revocation could overtake "
    "it") {
  Served test;
  const auto busy = test.connect(1, 2);
  test.keep_busy(*busy);
  const Server::WriteBatch some(*test.server, false);
  test.answer(1, 1);
  CHECK(busy->answers() == 0);
  test.server->answer({1, 2}, claims::Answer{.reason = proto::Reason::kOk});
  CHECK(busy->answers() == 2);
}

TEST_CASE("answers batched for a connection that has closed are dropped") {
  Served test;
  auto gone = test.connect(1, 1);
  const auto other = test.connect(2, 1);
  test.keep_busy(*gone);
  {
    const Server::WriteBatch all(*test.server, true);
    test.answer(1, 1);
    gone.reset();
    test.answer(2, 1);
  }
  CHECK(other->answers() == 1);
  test::run_until(
      *test.loop, [&] { return test.server->connections() == 1; }, kSoon);
}

TEST_CASE("a full batch is flushed early") {
  Served test;
  constexpr std::uint32_t kQueries = 5;  // the batch has room for four such answers
  const auto peer = test.connect(1, kQueries);
  const std::string claims(15'000, 'x');
  {
    const Server::WriteBatch all(*test.server, false);
    for (std::uint32_t request = 1; request <= kQueries; ++request)
      test.server->answer({1, request},
                          claims::Answer{.reason = proto::Reason::kOk, .claims = claims});
    CHECK(peer->answers() == kQueries - 1);
  }
  CHECK(peer->answers() == kQueries);
}

constexpr std::uint32_t kLargeAnswers =
    60;  // more than the kernel's buffers hold, less than write_queue_bytes

// Has more answers for `peer` than it can get without reading.
void overfill(Served& test, std::uint64_t number) {
  const std::string claims(15'000, 'x');
  for (std::uint32_t request = 1; request <= kLargeAnswers; ++request)
    test.server->answer({number, request},
                        claims::Answer{.reason = proto::Reason::kOk, .claims = claims});
}

TEST_CASE("a client that does not read its answers in time is closed, and another one is not") {
  Served test({.write_queue_bytes = 16 << 20, .slow_reader_timeout = milliseconds(100)});
  const auto slow = test.connect(1, kLargeAnswers);
  const auto other = test.connect(2, 1);
  overfill(test, 1);
  REQUIRE_FALSE(test.server->drained());
  test::run_until(
      *test.loop, [&] { return test.server->connections() == 1; }, kSoon);
  CHECK(test.server->connections() == 1);
  CHECK(test.server->counters().connections_cut_off == 1);
  test.answer(2, 1);
  CHECK(other->answers() == 1);
}

TEST_CASE("a client whose unread answers exceed write_queue_bytes is closed at once") {
  Served test({.write_queue_bytes = 128 << 10, .slow_reader_timeout = seconds(3600)});
  const auto slow = test.connect(1, kLargeAnswers);
  overfill(test, 1);
  test::run_until(
      *test.loop, [&] { return test.server->connections() == 0; }, kSoon);
  CHECK(test.server->connections() == 0);
}

TEST_CASE("a client that sends no hello in time is closed") {
  Served test({.handshake_timeout = milliseconds(100)});
  const Fd silent = test::connect_to(test.path);
  test::run_until(*test.loop, [&] { return test.server->connections() == 1; });
  test::run_until(
      *test.loop, [&] { return test.server->connections() == 0; }, kSoon);
  CHECK(test.server->counters().connections_cut_off == 1);
}

TEST_CASE("a refused client gets the reason with the option's value, and no connection is kept") {
  Served test({.admission = {.max_connections = 7, .max_connections_per_uid = 1}});
  const auto first = test.connect(1, 0);
  std::vector<proto::FailureCode> refused;
  test.server->on_refused([&](std::uint32_t, proto::FailureCode why) { refused.push_back(why); });
  const Fd second = test::connect_to(test.path);
  test::run_until(*test.loop, [&] { return refused.size() == 1; });
  std::array<char, 1024> frame{};
  const ssize_t got = recv(second.get(), frame.data(), frame.size(), 0);
  REQUIRE(got > 0);
  CHECK(std::string_view(frame.data(), static_cast<std::size_t>(got)).find("(now 1)") !=
        std::string_view::npos);
  CHECK(recv(second.get(), frame.data(), frame.size(), 0) == 0);
  CHECK(refused.front() == proto::FailureCode::kTooManyOfUid);
  CHECK(test.server->connections() == 1);
  CHECK(test.server->counters().connections_refused == 1);
}

TEST_CASE("a flood of refused clients is reported to operators only in part") {
  Served test({.admission = {.max_connections_per_uid = 1}});
  const auto first = test.connect(1, 0);
  std::size_t shown = 0;
  test.server->on_refused([&](std::uint32_t, proto::FailureCode) { ++shown; });
  for (std::uint64_t wanted = 1; wanted <= 300; ++wanted) {
    const Fd client = test::connect_to(test.path);
    test::run_until(*test.loop,
                    [&] { return test.server->counters().connections_refused == wanted; });
  }
  CHECK(shown >= 100);
  CHECK(shown < 300);
}

TEST_CASE("between two of its turns a client waits for a few new connections at most") {
  Served test;
  const auto known = test.connect(1, 0);
  std::vector<Fd> crowd;
  for (int i = 0; i < 200; ++i) crowd.push_back(test::connect_to(test.path));
  known->send(frame(proto::Ping{.echo = 1}, 1000));
  const std::uint64_t before = test.server->counters().connections_accepted;
  while (known->pongs() == 0) test.loop->run_once();
  CHECK(test.server->counters().connections_accepted - before <= 12);
}

}  // namespace
}  // namespace claimsd::server

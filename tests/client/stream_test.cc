// Streams: many questions over one connection, answered in any order.
#include <poll.h>

#include <algorithm>
#include <map>
#include <random>

#include "tests/client/stream_helpers.h"
#include "tests/support/catch.h"

namespace claimsd::testing {
namespace {

// Collects `batch` questions, then answers them in random order.
FakeDaemon::Script answers_shuffled(std::size_t batch) {
  return [batch](Peer& peer) {
    if (!peer.welcome()) return;
    std::mt19937 random(7);
    std::vector<std::pair<std::uint32_t, std::string>> open;
    while (const auto frame = peer.receive()) {
      open.emplace_back(frame->header.request_id, frame->as<proto::Query>()->token);
      if (open.size() < batch) continue;
      std::shuffle(open.begin(), open.end(), random);
      for (const auto& [id, token] : open) peer.send(valid_answer(claims_block(token)), id);
      open.clear();
    }
  };
}

TEST_CASE("a thousand questions answered out of order each find their tag") {
  Host host(answers_shuffled(1000));
  Stream stream(host.client);
  for (std::uint64_t tag = 0; tag < 1000; ++tag) {
    REQUIRE(stream.send("user-" + std::to_string(tag), tag));
  }
  CHECK(stream.pending() == 1000);
  std::map<std::uint64_t, std::string> ids;
  std::vector<std::uint64_t> order;
  for (auto& [tag, answer] : receive_all(stream)) {
    REQUIRE(answer.valid());
    ids[tag] = answer.claims().id();
    order.push_back(tag);
  }
  REQUIRE(ids.size() == 1000);
  for (const auto& [tag, id] : ids) REQUIRE(id == "user-" + std::to_string(tag));
  CHECK_FALSE(std::is_sorted(order.begin(), order.end()));
  CHECK(stream.pending() == 0);
  CHECK(host.daemon.connections() == 1);
}

TEST_CASE("nothing to receive is said to be so, without blocking") {
  Host host;
  Stream stream(host.client);
  CHECK_FALSE(stream.receive().has_value());
  claimsd_stream* raw = nullptr;
  REQUIRE(claimsd_stream_open(host.client.get(), &raw) == CLAIMSD_OK);
  CHECK(claimsd_stream_receive(raw, nullptr, nullptr) == CLAIMSD_AGAIN);
  claimsd_stream_close(raw);
  CHECK(host.daemon.connections() == 0);
}

TEST_CASE("queries of the largest size that go out faster than they are read all arrive") {
  Host host(answers_shuffled(1));
  Stream stream(host.client);
  const std::string token(proto::kMaxId, 'i');
  const std::string route(proto::kMaxRoute, 'r');
  // About 2 MiB: more than the socket takes, so that frames are cut and continued.
  for (std::uint64_t tag = 0; tag < 4000; ++tag) {
    REQUIRE(stream.send(token, tag, {.timeout = 60s, .route = route}));
  }
  int right = 0;
  for (auto& [tag, answer] : receive_all(stream)) right += answer.claims().id() == token ? 1 : 0;
  CHECK(right == 4000);
}

TEST_CASE("4,096 questions may be open, and not one more until an answer was received") {
  Host host(answers_shuffled(4096));
  Stream stream(host.client);
  for (std::uint64_t tag = 0; tag < proto::kMaxOpenQueries; ++tag) {
    REQUIRE(stream.send("t", tag, {.timeout = 60s}));
  }
  CHECK_FALSE(stream.send("t", 1));
  CHECK(receive_all(stream).size() == proto::kMaxOpenQueries);
  CHECK(stream.send("t", 1));
}

TEST_CASE("a deadline makes the descriptor readable, and only its own question ends") {
  Host host([](Peer& peer) {
    peer.welcome();
    while (const auto frame = peer.receive()) {
      if (frame->as<proto::Query>()->token == "now") {
        peer.send(refusal(proto::Verdict::kInvalid, proto::Reason::kRejected),
                  frame->header.request_id);
      }
    }
  });
  Stream stream(host.client);
  REQUIRE(stream.send("never", 1, {.timeout = 30s}));
  REQUIRE(stream.send("never", 2, {.timeout = 40ms}));
  const auto late = receive_one(stream);
  CHECK(late.tag == 2);
  CHECK(late.answer.reason() == "timeout");
  REQUIRE(stream.send("now", 3));
  const auto answered = receive_one(stream);
  CHECK(answered.tag == 3);
  CHECK(answered.answer.invalid());
  CHECK(stream.pending() == 1);
}

TEST_CASE("an answer after the timeout is discarded") {
  std::atomic<bool> late = false;
  Host host([&late](Peer& peer) {
    peer.welcome();
    const auto first = peer.receive();
    while (!late) std::this_thread::yield();
    peer.send(valid_answer(claims_block("first")), first->header.request_id);
    const auto second = peer.receive();
    peer.send(valid_answer(claims_block("second")), second->header.request_id);
    peer.receive();
  });
  Stream stream(host.client);
  REQUIRE(stream.send("first", 1, {.timeout = 30ms}));
  CHECK(receive_one(stream).answer.reason() == "timeout");
  late = true;
  REQUIRE(stream.send("second", 2));
  const auto completed = receive_one(stream);
  CHECK(completed.tag == 2);
  CHECK(completed.answer.claims().id() == "second");
}

TEST_CASE("an answer that is sent twice counts once") {
  Host host([](Peer& peer) {
    peer.welcome();
    const auto first = peer.receive();
    const auto second = peer.receive();
    // In one piece, so that all are read before the first is received.
    const auto frame = [](const Frame& request, std::string_view id) {
      const std::string block = claims_block(id);
      std::string bytes(proto::kMaxFrame, '\0');
      bytes.resize(proto::encode(valid_answer(block), request.header.request_id, bytes.data(),
                                 bytes.size()));
      return bytes;
    };
    peer.send_bytes(frame(*first, "first") + frame(*second, "second") + frame(*first, "again"));
    peer.receive();
  });
  Stream stream(host.client);
  REQUIRE(stream.send("first", 1));
  REQUIRE(stream.send("second", 2));
  const auto one = receive_one(stream);
  CHECK(one.tag == 1);
  CHECK(one.answer.claims().id() == "first");
  CHECK(receive_one(stream).tag == 2);
  CHECK(stream.pending() == 0);
  CHECK_FALSE(stream.receive().has_value());
}

TEST_CASE("a token too long for a frame is answered without the daemon, in its turn") {
  Host host;
  Stream stream(host.client);
  REQUIRE(stream.send(std::string(100'000, 't'), 5));
  const auto completed = receive_one(stream);
  CHECK(completed.tag == 5);
  CHECK(completed.answer.reason() == "too_long");
  CHECK(completed.answer.unavailable());
}

TEST_CASE("several streams and blocking calls share a handle") {
  Host host;
  Stream one(host.client);
  Stream two(host.client);
  REQUIRE(one.send("one", 1));
  REQUIRE(two.send("two", 2));
  CHECK(host.client.query("three").valid());
  const auto second = receive_one(two);
  CHECK(second.answer.claims().id() == "two");
  const auto first = receive_one(one);
  CHECK(first.answer.claims().id() == "one");
}

TEST_CASE("a stream rejects a query with the size of a token but no token") {
  Host host;
  claimsd_stream* raw = nullptr;
  REQUIRE(claimsd_stream_open(host.client.get(), &raw) == CLAIMSD_OK);
  claimsd_query_request request = CLAIMSD_QUERY_REQUEST_INIT;
  request.token_size = 1;
  CHECK(claimsd_stream_send(raw, &request, 1) == CLAIMSD_BAD_ARGUMENT);
  CHECK(claimsd_stream_send(nullptr, &request, 1) == CLAIMSD_BAD_ARGUMENT);
  CHECK(claimsd_stream_pending(raw) == 0);
  claimsd_stream_close(raw);
  CHECK(claimsd_stream_open(nullptr, &raw) == CLAIMSD_BAD_ARGUMENT);
  CHECK(raw == nullptr);
}

}  // namespace
}  // namespace claimsd::testing

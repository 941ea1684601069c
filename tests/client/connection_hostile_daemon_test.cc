// Invalid bytes from the daemon never make a token valid and never crash the client.
#include <random>

#include "tests/client/host.h"
#include "tests/support/catch.h"

namespace claimsd::testing {
namespace {

// Answers the first question with `bytes`, whatever they are, in which the request id is put where
// `id_at` says.
FakeDaemon::Script answers_with(std::string bytes) {
  return [bytes = std::move(bytes)](Peer& peer) {
    if (!peer.welcome() || !peer.receive()) return;
    peer.send_bytes(bytes);
    peer.receive();  // until the client hangs up
  };
}

std::string frame_of(const proto::Answer& answer, std::uint32_t id = 2) {
  std::string frame(proto::kMaxFrame, '\0');
  frame.resize(proto::encode(answer, id, frame.data(), frame.size()));
  return frame;
}

void expect_protocol_error(FakeDaemon::Script script) {
  Host host(std::move(script));
  const Answer answer = host.client.query("token", {.timeout = 3s});
  CHECK(answer.unavailable());
  CHECK(answer.reason() == "protocol");
}

TEST_CASE("the frames below are what a client takes: a sound one is valid") {
  const std::string block = claims_block("user-1");
  Host host(answers_with(frame_of(valid_answer(block))));
  CHECK(host.client.query("token").valid());
}

TEST_CASE("valid without a whole block of claims is unavailable") {
  const std::string block = claims_block("user-1");
  expect_protocol_error(answers_with(frame_of(valid_answer(""))));
  expect_protocol_error(answers_with(frame_of(valid_answer(std::string_view(block).substr(1)))));
  expect_protocol_error(answers_with(frame_of(valid_answer(block + "x"))));
  expect_protocol_error(answers_with(frame_of(valid_answer(std::string(64, '\0')))));
}

TEST_CASE("claims with a NUL byte are unavailable: as C strings they would name another user") {
  using namespace std::string_literals;
  for (const std::string& block :
       {claims_block("admin\0x"s), claims_block("1", "a@b\0x"s), claims_block("1", "", {"rvt\0x"s}),
        claims_block("1", "", {}, "{}\0x"s)}) {
    expect_protocol_error(answers_with(frame_of(valid_answer(block))));
  }
}

TEST_CASE("a verdict that contradicts its reason is unavailable") {
  const std::string block = claims_block("user-1");
  proto::Answer answer = valid_answer(block);
  answer.reason = static_cast<std::uint16_t>(proto::Reason::kRejected);
  expect_protocol_error(answers_with(frame_of(answer)));
  answer.reason = 0;
  for (const int verdict : {0, 2, 3, 4, 255}) {
    answer.verdict = static_cast<std::uint8_t>(verdict);
    expect_protocol_error(answers_with(frame_of(answer)));
  }
}

TEST_CASE("a frame that announces too much, or sets reserved bits, ends the connection") {
  std::string huge = frame_of(valid_answer(claims_block("user-1")));
  huge[3] = '\x7f';
  expect_protocol_error(answers_with(huge));
  std::string flagged = frame_of(valid_answer(claims_block("user-1")));
  flagged[6] = 1;
  expect_protocol_error(answers_with(flagged));
}

TEST_CASE("a message that no daemon sends ends the connection") {
  std::string query(256, '\0');
  query.resize(proto::encode(proto::Query{.token = "t"}, 2, query.data(), query.size()));
  expect_protocol_error(answers_with(query));
  expect_protocol_error(answers_with(std::string("\0\0\0\0\x7f\x7f\0\0\2\0\0\0", 12)));
}

TEST_CASE("an answer of the wrong kind is no answer") {
  std::string pong(64, '\0');
  pong.resize(proto::encode(proto::Pong{}, 2, pong.data(), pong.size()));
  expect_protocol_error(answers_with(pong));
}

TEST_CASE("an answer with another request id is ignored") {
  const std::string other = claims_block("user-2");
  const std::string mine = claims_block("user-1");
  Host host(answers_with(frame_of(valid_answer(other), 77) + frame_of(valid_answer(mine), 2)));
  const Answer answer = host.client.query("token");
  REQUIRE(answer.valid());
  CHECK(answer.claims().id() == "user-1");
}

TEST_CASE("bytes behind an answer cost the connection, not the next question") {
  Host host([](Peer& peer) {
    if (peer.number() > 0) return serve_tokens_as_ids(peer);
    if (!peer.welcome() || !peer.receive()) return;
    peer.send_bytes(frame_of(valid_answer(claims_block("first"))) + "half");
    peer.receive();
  });
  CHECK(host.client.query("first").valid());
  CHECK(host.client.query("second", {.timeout = 5s}).valid());
  CHECK(host.daemon.connections() == 2);
}

TEST_CASE("an answer that arrives byte by byte is one answer") {
  const std::string frame = frame_of(valid_answer(claims_block("user-1")));
  Host host([&frame](Peer& peer) {
    if (!peer.welcome() || !peer.receive()) return;
    for (const char byte : frame) peer.send_bytes({&byte, 1});
    peer.receive();
  });
  CHECK(host.client.query("token").valid());
}

TEST_CASE("a welcome to another version is a protocol error") {
  expect_protocol_error([](Peer& peer) {
    peer.receive();
    peer.send(proto::Welcome{.version = proto::kVersion + 1}, 1);
    peer.receive();
  });
  expect_protocol_error([](Peer& peer) {
    peer.receive();
    peer.send(proto::Pong{}, 1);
    peer.receive();
  });
}

TEST_CASE("a damaged answer never crashes the client and is rarely accepted") {
  std::mt19937 random(42);
  std::string frame = frame_of(valid_answer(claims_block("user-1")));
  Host host(
      [&](Peer& peer) {
        if (!peer.welcome()) return;
        while (peer.receive()) {
          std::string damaged = frame;
          for (int i = 0; i < 8; ++i)
            damaged[random() % damaged.size()] = static_cast<char>(random());
          peer.send_bytes(damaged);
          peer.hang_up();
        }
      },
      1);
  int valid = 0;
  for (int i = 0; i < 500; ++i) {
    const Answer answer = host.client.query("token", {.timeout = 2s});
    // Damage inside the text of the claims cannot be detected; the length must still be right.
    if (answer.valid()) {
      ++valid;
      CHECK(answer.claims().id().size() == 6);
    }
  }
  CHECK(valid < 250);
}

}  // namespace
}  // namespace claimsd::testing

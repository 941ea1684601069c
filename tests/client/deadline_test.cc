// No call takes longer than its time-out, whatever the daemon does.
#include "tests/client/host.h"
#include "tests/support/catch.h"

namespace claimsd::testing {
namespace {

using Clock = std::chrono::steady_clock;

// Runs `call` and checks that it took at least `least`, and not for ever. The upper bound is loose:
// machines are busy.
template <class Call>
auto timed(Clock::duration least, Call&& call) {
  const auto start = Clock::now();
  auto result = call();
  const auto took = Clock::now() - start;
  CHECK(took >= least);
  CHECK(took < least + 4s);
  return result;
}

TEST_CASE("a daemon that never answers is a time-out, after the question's own time") {
  Host host([](Peer& peer) {
    peer.welcome();
    while (peer.receive()) {
    }
  });
  const Answer answer = timed(50ms, [&] { return host.client.query("t", {.timeout = 50ms}); });
  CHECK(answer.unavailable());
  CHECK(answer.reason() == "timeout");
}

TEST_CASE("a daemon that never welcomes is a time-out") {
  Host host([](Peer& peer) {
    while (peer.receive()) {
    }
  });
  CHECK(timed(50ms, [&] { return host.client.query("t", {.timeout = 50ms}); }).reason() ==
        "timeout");
}

TEST_CASE("a daemon that trickles its answer does not stretch the deadline") {
  Host host([](Peer& peer) {
    peer.welcome();
    const auto frame = peer.receive();
    // The header of an answer with 1,000 bytes to come, then one byte now and then until the client
    // hangs up.
    peer.send_bytes(std::string("\xe8\x03\x00\x00\x10\x80\x00\x00\x02\x00\x00\x00", 12));
    while (peer.send_bytes("x")) std::this_thread::sleep_for(5ms);
  });
  CHECK(timed(60ms, [&] { return host.client.query("t", {.timeout = 60ms}); }).reason() ==
        "timeout");
}

TEST_CASE("the handle's timeout applies if the query sets none") {
  ScratchDirectory directory;
  FakeDaemon daemon(directory / "s", [](Peer& peer) {
    while (peer.receive()) {
    }
  });
  const Client client({.socket_path = daemon.path(), .timeout = 40ms});
  CHECK(timed(40ms, [&] { return client.query("t"); }).reason() == "timeout");
}

TEST_CASE("queries of different time-outs on one connection each keep their own") {
  Host host([](Peer& peer) {
    peer.welcome();
    while (const auto frame = peer.receive()) {
      if (frame->as<proto::Query>()->token == "answer") {
        peer.send(refusal(proto::Verdict::kInvalid, proto::Reason::kRejected),
                  frame->header.request_id);
      }
    }
  });
  CHECK(host.client.query("answer", {.timeout = 4s}).invalid());
  CHECK(timed(30ms, [&] { return host.client.query("-", {.timeout = 30ms}); }).reason() ==
        "timeout");
  CHECK(host.client.query("answer", {.timeout = 30ms}).invalid());
  CHECK(timed(80ms, [&] { return host.client.query("-", {.timeout = 80ms}); }).reason() ==
        "timeout");
}

TEST_CASE("the answer to a question that timed out is never taken for the next one's") {
  std::atomic<bool> timed_out = false;
  Host host(
      [&timed_out](Peer& peer) {
        peer.welcome();
        while (const auto frame = peer.receive()) {
          const auto query = frame->as<proto::Query>();
          while (query->token == "late" && !timed_out) std::this_thread::yield();
          peer.send(valid_answer(claims_block(query->token)), frame->header.request_id);
        }
      },
      1);
  CHECK(host.client.query("late", {.timeout = 30ms}).reason() == "timeout");
  timed_out = true;
  for (int i = 0; i < 20; ++i) {
    const Answer answer = host.client.query("mine");
    REQUIRE(answer.valid());
    CHECK(answer.claims().id() == "mine");
  }
}

TEST_CASE("a caller that waits for a connection waits no longer than its time-out") {
  std::atomic<bool> busy = false;
  std::atomic<bool> release = false;
  Host host(
      [&](Peer& peer) {
        peer.welcome();
        const auto frame = peer.receive();
        busy = true;
        while (!release) std::this_thread::yield();
        peer.send(refusal(proto::Verdict::kInvalid, proto::Reason::kRejected),
                  frame->header.request_id);
      },
      1);
  std::thread holder([&] { host.client.query("t", {.timeout = 30s}); });
  while (!busy) std::this_thread::yield();
  CHECK(timed(50ms, [&] { return host.client.query("t", {.timeout = 50ms}); }).reason() ==
        "timeout");
  release = true;
  holder.join();
}

}  // namespace
}  // namespace claimsd::testing

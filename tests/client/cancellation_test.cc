// Another thread cancels a query, or a query of a stream.
#include <unistd.h>

#include "tests/client/report_host.h"
#include "tests/client/stopped_daemon.h"
#include "tests/client/stream_helpers.h"
#include "tests/support/catch.h"

namespace claimsd::testing {
namespace {

using Clock = std::chrono::steady_clock;

// Answers every token but "silence".
void serve_but_silence(Peer& peer) {
  if (!peer.welcome()) return;
  while (const auto frame = peer.receive()) {
    const auto query = frame->as<proto::Query>();
    if (query->token == "silence") continue;
    peer.send(valid_answer(claims_block(query->token)), frame->header.request_id);
  }
}

// Cancels a query with a timeout of 20 s after 30 ms, and checks that it returns soon after.
void check_canceled(const Client& client) {
  const Cancellation cancellation;
  const auto start = Clock::now();
  std::thread canceler([&] {
    std::this_thread::sleep_for(30ms);
    cancellation.cancel();
  });
  const Answer answer = client.query("silence", {.timeout = 20s, .cancellation = &cancellation});
  CHECK(Clock::now() - start >= 30ms);
  CHECK(Clock::now() - start < 5s);  // machines are busy
  CHECK(answer.unavailable());
  CHECK(answer.reason() == "canceled");
  canceler.join();
}

TEST_CASE("a canceled query returns early, and its connection is not used again") {
  Host host(serve_but_silence, 1);
  check_canceled(host.client);
  CHECK(host.client.query("user").valid());
  CHECK(host.daemon.connections() == 2);
}

TEST_CASE("a query that was canceled before it starts sends nothing") {
  Host host(serve_but_silence);
  const Cancellation cancellation;
  cancellation.cancel();
  CHECK(host.client.query("user", {.cancellation = &cancellation}).reason() == "canceled");
  CHECK(host.daemon.connections() == 0);
}

TEST_CASE("a query that waits for a connection of the pool is canceled") {
  Host host(serve_but_silence, 1);
  const Cancellation ends_holder;
  std::thread holder(
      [&] { host.client.query("silence", {.timeout = 20s, .cancellation = &ends_holder}); });
  while (host.daemon.connections() == 0) std::this_thread::yield();
  check_canceled(host.client);
  ends_holder.cancel();
  holder.join();
  CHECK(host.client.query("user").valid());
}

TEST_CASE("a query that waits for a full backlog is canceled") {
  ScratchDirectory directory;
  const StoppedDaemon daemon(directory / "s");
  check_canceled(Client({.socket_path = directory / "s"}));
}

TEST_CASE("a query with a cancellation ends at its timeout") {
  Host host(serve_but_silence);
  const Cancellation cancellation;
  const auto start = Clock::now();
  const Answer answer =
      host.client.query("silence", {.timeout = 100ms, .cancellation = &cancellation});
  CHECK(answer.reason() == "timeout");
  CHECK(Clock::now() - start >= 100ms);
  CHECK(host.client.query("user", {.cancellation = &cancellation}).valid());
}

TEST_CASE("one cancellation cancels the queries of many threads") {
  Host host(serve_but_silence);
  const Cancellation cancellation;
  std::atomic<int> canceled = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&] {
      const Answer answer =
          host.client.query("silence", {.timeout = 20s, .cancellation = &cancellation});
      canceled += answer.reason() == "canceled" ? 1 : 0;
    });
  }
  std::this_thread::sleep_for(30ms);
  cancellation.cancel();
  for (std::thread& thread : threads) thread.join();
  CHECK(canceled == 8);
}

TEST_CASE("canceling a stream's query from another thread wakes the event loop") {
  Host host(serve_but_silence);
  Stream stream(host.client);
  REQUIRE(stream.send("silence", 1));
  REQUIRE(stream.send("silence", 2));
  std::thread canceler([&stream] {
    std::this_thread::sleep_for(30ms);
    stream.cancel(2);
  });
  const auto completed = receive_one(stream);
  CHECK(completed.tag == 2);
  CHECK(completed.answer.reason() == "canceled");
  CHECK(stream.pending() == 1);
  canceler.join();
  REQUIRE(stream.send("user", 3));
  CHECK(receive_one(stream).tag == 3);
}

TEST_CASE("the late answer to a canceled query is not taken for another query's") {
  std::atomic<bool> release = false;
  Host host([&release](Peer& peer) {
    if (!peer.welcome()) return;
    while (const auto frame = peer.receive()) {
      while (!release) std::this_thread::yield();
      peer.send(valid_answer(claims_block(frame->as<proto::Query>()->token)),
                frame->header.request_id);
    }
  });
  Stream stream(host.client);
  REQUIRE(stream.send("first", 1));
  CHECK(stream.cancel(1));
  CHECK_FALSE(stream.cancel(1));
  CHECK(receive_one(stream).answer.reason() == "canceled");
  REQUIRE(stream.send("second", 1));  // the same tag
  release = true;
  const auto completed = receive_one(stream);
  REQUIRE(completed.answer.valid());
  CHECK(completed.answer.claims().id() == "second");
  CHECK(stream.pending() == 0);
}

TEST_CASE("queries that were not sent yet are canceled, and the others are sent in order") {
  ScratchDirectory directory;
  const std::string path = directory / "s";
  auto stopped = std::make_unique<StoppedDaemon>(path);
  const Client client({.socket_path = path});
  Stream stream(client);
  for (std::uint64_t tag = 1; tag <= 4; ++tag) REQUIRE(stream.send(std::to_string(tag), tag));
  CHECK(stream.cancel(2));
  CHECK(stream.cancel(4));
  stopped.reset();
  unlink(path.c_str());
  const FakeDaemon daemon(path, serve_tokens_as_ids);
  std::vector<std::uint64_t> valid;
  for (const auto& [tag, answer] : receive_all(stream)) {
    if (answer.valid()) valid.push_back(tag);
  }
  CHECK(valid == std::vector<std::uint64_t>{1, 3});
}

TEST_CASE("a report of a stream is not canceled") {
  ReportHost host;
  Stream stream(host.client);
  REQUIRE(stream.report(denial(), 1));
  CHECK_FALSE(stream.cancel(1));
  CHECK(receive_one(stream).answer.recorded());
}

TEST_CASE("threads that share a stream get every answer once") {
  Host host;
  Stream stream(host.client);
  constexpr int kThreads = 4;
  constexpr std::uint64_t kEach = 200;
  std::vector<std::thread> threads;
  for (std::uint64_t i = 0; i < kThreads; ++i) {
    threads.emplace_back([&stream, i] {
      for (std::uint64_t j = 0; j < kEach; ++j) {
        const std::uint64_t tag = i * kEach + j;
        static_cast<void>(stream.send(std::to_string(tag), tag));
      }
    });
  }
  std::uint64_t right = 0;
  for (std::uint64_t i = 0; i < kThreads * kEach; ++i) {
    // Nothing may be pending before the threads have started.
    while (stream.pending() == 0) std::this_thread::yield();
    const auto [tag, answer] = receive_one(stream);
    right += answer.valid() && answer.claims().id() == std::to_string(tag) ? 1 : 0;
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(right == kThreads * kEach);
}

}  // namespace
}  // namespace claimsd::testing

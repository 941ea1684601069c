// Many threads on one handle.
#include <array>

#include "tests/client/host.h"
#include "tests/support/catch.h"

namespace claimsd::testing {
namespace {

TEST_CASE("sixteen threads each get the answers to their own questions") {
  Host host;
  std::atomic<int> wrong = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 16; ++i) {
    threads.emplace_back([&, i] {
      for (int j = 0; j < 300; ++j) {
        const std::string token = std::to_string(i) + "-" + std::to_string(j);
        const Answer answer = host.client.query(token);
        if (!answer.valid() || answer.claims().id() != token) ++wrong;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(wrong == 0);
  CHECK(host.daemon.connections() <= 16);
}

TEST_CASE("more threads than connections share them") {
  Host host(serve_tokens_as_ids, 2);
  std::atomic<int> wrong = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&] {
      for (int j = 0; j < 200; ++j) wrong += host.client.query("t").valid() ? 0 : 1;
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(wrong == 0);
  CHECK(host.daemon.connections() <= 2);
}

TEST_CASE("one thread uses one connection, again and again") {
  Host host;
  for (int i = 0; i < 50; ++i) REQUIRE(host.client.query("t").valid());
  CHECK(host.daemon.connections() == 1);
}

TEST_CASE("all queries of sixteen threads are answered while the daemon restarts") {
  Host host;
  std::atomic<int> wrong = 0;
  std::atomic<bool> done = false;
  std::array<std::atomic<int>, 16> asked{};
  std::vector<std::thread> threads;
  for (std::atomic<int>& count : asked) {
    threads.emplace_back([&] {
      for (; !done; ++count) wrong += host.client.query("t").valid() ? 0 : 1;
    });
  }
  // A question may lose one connection, not two: before the next restart every thread has begun
  // another.
  const auto let_all_ask_again = [&asked] {
    for (std::atomic<int>& count : asked) {
      for (const int seen = count; count < seen + 2;) std::this_thread::yield();
    }
  };
  for (int i = 0; i < 5; ++i) {
    let_all_ask_again();
    host.daemon.stop();
    host.daemon.start();
  }
  let_all_ask_again();
  done = true;
  for (std::thread& thread : threads) thread.join();
  CHECK(wrong == 0);
}

}  // namespace
}  // namespace claimsd::testing

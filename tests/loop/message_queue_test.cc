#include "daemon/loop/message_queue.h"

#include <atomic>
#include <memory>
#include <thread>

#include "tests/support/catch.h"
#include "tests/support/loop_runner.h"

namespace claimsd::loop {
namespace {

using test::new_loop;
using test::run_until;
using test::settle;

TEST_CASE("messages from several threads arrive once each, in each sender's order") {
  constexpr int kSenders = 4;
  constexpr int kEach = 5000;
  const auto loop = new_loop();
  std::vector<int> next(kSenders, 0);
  int received = 0;
  bool in_order = true;
  auto queue = MessageQueue<std::pair<int, int>>::create(*loop, [&](std::pair<int, int>&& message) {
    in_order &= next[static_cast<std::size_t>(message.first)]++ == message.second;
    ++received;
  });
  REQUIRE(queue);
  std::vector<std::jthread> senders;
  for (int sender = 0; sender < kSenders; ++sender) {
    senders.emplace_back([&queue, sender] {
      for (int i = 0; i < kEach; ++i) (*queue)->push({sender, i});
    });
  }
  run_until(*loop, [&] { return received == kSenders * kEach; });
  senders.clear();
  settle(*loop);
  CHECK(in_order);
  CHECK(received == kSenders * kEach);
}

TEST_CASE("push() never consumes directly, not even on the consumer's thread") {
  const auto loop = new_loop();
  int received = 0;
  auto queue = MessageQueue<int>::create(*loop, [&](int&&) { ++received; });
  REQUIRE(queue);
  (*queue)->push(1);
  CHECK(received == 0);
  run_until(*loop, [&] { return received == 1; });
}

TEST_CASE("a message pushed by the consumer itself is consumed later") {
  const auto loop = new_loop();
  int received = 0;
  std::unique_ptr<MessageQueue<int>> queue;
  queue = std::move(*MessageQueue<int>::create(*loop, [&](int&& left) {
    ++received;
    if (left > 0) queue->push(left - 1);
  }));
  queue->push(3);
  run_until(*loop, [&] { return received == 4; });
}

TEST_CASE("a destroyed queue delivers nothing and frees its messages") {
  const auto loop = new_loop();
  const auto tracked = std::make_shared<int>(0);
  bool received = false;
  {
    auto queue = MessageQueue<std::shared_ptr<int>>::create(
        *loop, [&](std::shared_ptr<int>&&) { received = true; });
    REQUIRE(queue);
    (*queue)->push(tracked);
  }
  CHECK(tracked.use_count() == 1);
  settle(*loop);
  CHECK_FALSE(received);
}

TEST_CASE("a consumer may destroy its queue, and the remaining messages are not delivered") {
  const auto loop = new_loop();
  std::vector<int> received;
  std::unique_ptr<MessageQueue<int>> queue;
  queue = std::move(*MessageQueue<int>::create(*loop, [&](int&& value) {
    received.push_back(value);
    queue.reset();
  }));
  queue->push(1);
  queue->push(2);
  settle(*loop);
  CHECK(received == std::vector<int>{1});
}

}  // namespace
}  // namespace claimsd::loop

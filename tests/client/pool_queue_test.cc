// The order in which threads get a connection when all are taken.
#include <atomic>
#include <catch2/catch.hpp>
#include <chrono>
#include <memory>
#include <thread>
#include <vector>

#include "client/src/pool.h"

namespace claimsd::client_impl {
namespace {

using namespace std::chrono_literals;

TEST_CASE(
    "a connection that is given back goes to the waiting thread, not to the one that asks next") {
  Pool pool;
  REQUIRE(pool.create(1));
  Connection* const only = pool.take(Deadline::after_ms(0));
  REQUIRE(only != nullptr);
  std::atomic<bool> served = false;
  std::thread waiter([&] {
    Connection* const given = pool.take(Deadline::after_ms(20'000));
    served = given == only;
    std::this_thread::sleep_for(50ms);
    if (given != nullptr) pool.give_back(given);
  });
  std::this_thread::sleep_for(50ms);  // so that it waits
  pool.give_back(only);
  CHECK(pool.take(Deadline::after_ms(1)) == nullptr);
  waiter.join();
  CHECK(served);
  CHECK(pool.take(Deadline::after_ms(0)) == only);
}

TEST_CASE("threads are served in the order in which they came") {
  Pool pool;
  REQUIRE(pool.create(1));
  Connection* const only = pool.take(Deadline::after_ms(0));
  constexpr int kThreads = 8;
  std::vector<int> order;  // guarded by the one connection
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&, i] {
      Connection* const given = pool.take(Deadline::after_ms(20'000));
      order.push_back(i);
      pool.give_back(given);
    });
    std::this_thread::sleep_for(20ms);
  }
  pool.give_back(only);
  for (std::thread& thread : threads) thread.join();
  CHECK(order == std::vector<int>{0, 1, 2, 3, 4, 5, 6, 7});
}

TEST_CASE("a thread that gives up leaves the queue, and the next one is served") {
  Pool pool;
  REQUIRE(pool.create(1));
  Connection* const only = pool.take(Deadline::after_ms(0));
  std::atomic<bool> served = false;
  std::atomic<bool> gave_up = false;
  std::thread impatient([&] { gave_up = pool.take(Deadline::after_ms(60)) == nullptr; });
  std::this_thread::sleep_for(20ms);
  std::thread patient([&] {
    Connection* const given = pool.take(Deadline::after_ms(20'000));
    served = given == only;
    pool.give_back(given);
  });
  impatient.join();
  CHECK(gave_up);
  pool.give_back(only);
  patient.join();
  CHECK(served);
}

TEST_CASE(
    "a slot that the daemon gives no connection is exchanged for one that another thread has") {
  Pool pool;
  REQUIRE(pool.create(3));
  Connection* const connected = pool.take(Deadline::after_ms(0));
  Connection* const refused = pool.take(Deadline::after_ms(0));
  std::atomic<bool> served = false;
  std::thread waiter([&] {
    served = pool.exchange(refused, Deadline::after_ms(20'000)) == connected;
    pool.give_back(connected);
  });
  std::this_thread::sleep_for(20ms);
  CHECK(pool.take(Deadline::after_ms(1)) == nullptr);  // no third one is tried meanwhile
  pool.give_back(connected);
  waiter.join();
  CHECK(served);
}

TEST_CASE("a thread whose process has no other connection does not wait for one") {
  Pool pool;
  REQUIRE(pool.create(3));
  Connection* const refused = pool.take(Deadline::after_ms(0));
  CHECK(pool.exchange(refused, Deadline::after_ms(20'000)) == refused);
}

}  // namespace
}  // namespace claimsd::client_impl

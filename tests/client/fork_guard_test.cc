// The guard that notices a fork, by each of its two methods.
#include "client/src/fork_guard.h"

#include <sys/wait.h>

#include <atomic>
#include <catch2/catch.hpp>
#include <chrono>
#include <thread>
#include <vector>

namespace claimsd::client_impl {
namespace {

using Method = ForkGuard::Method;

template <class Child>
bool in_child(Child&& child) {
  const pid_t pid = fork();
  if (pid == 0) _exit(child() ? 0 : 1);
  int status = -1;
  waitpid(pid, &status, 0);
  return status == 0;
}

TEST_CASE("a child is reset once, its parent never") {
  const Method method = GENERATE(Method::kWipedPage, Method::kTimer);
  ForkGuard guard;
  REQUIRE(guard.create(method) == ForkGuard::Created::kYes);
  int resets = 0;
  const auto enter = [&] { guard.enter([&resets] { ++resets; }); };
  enter();
  CHECK(resets == 0);
  const std::uint32_t before = guard.generation();
  CHECK(in_child([&] {
    enter();
    enter();
    return resets == 1 && guard.generation() == before + 1;
  }));
  enter();
  CHECK(resets == 0);
  CHECK(guard.generation() == before);
}

TEST_CASE("of many threads that enter first in a child, one resets and all wait for it") {
  const Method method = GENERATE(Method::kWipedPage, Method::kTimer);
  ForkGuard guard;
  REQUIRE(guard.create(method) == ForkGuard::Created::kYes);
  CHECK(in_child([&guard] {
    std::atomic<int> resets = 0;
    std::atomic<int> early = 0;
    std::atomic<bool> finished = false;
    std::vector<std::thread> threads;
    for (int i = 0; i < 8; ++i) {
      threads.emplace_back([&] {
        guard.enter([&] {
          ++resets;
          std::this_thread::sleep_for(std::chrono::milliseconds(20));
          finished = true;
        });
        if (!finished) ++early;
      });
    }
    for (std::thread& thread : threads) thread.join();
    return resets == 1 && early == 0;
  }));
}

}  // namespace
}  // namespace claimsd::client_impl

// The library under stress: no wrong answer, no crash, no growth, and deadlines hold. Environment
// variables make the tests longer (in brackets: a long run):
//
//   CLAIMSD_STRESS_FORKS      children forked beside threads (100,000)
//   CLAIMSD_STRESS_MUTATIONS  damaged answers (1,000,000)
//   CLAIMSD_STRESS_SIGNALS    timeouts under signals at 1 kHz, and in 64 threads (1,000)
//   CLAIMSD_STRESS_TOKENS     different tokens through one handle (2,000,000)
//   CLAIMSD_STRESS_QUERIES    queries of each of 64 threads; a quarter of it in each of 16 threads
//                             of 20 processes (4,000)
//   CLAIMSD_STRESS_EXITS      processes that exit beside threads (3,200): handle_exit_test.cc
#include <sys/time.h>

#include <algorithm>
#include <filesystem>
#include <mutex>
#include <random>
#include <thread>

#include "tests/client/child_process.h"
#include "tests/client/deadline_bound.h"
#include "tests/client/stopped_daemon.h"
#include "tests/client/stress.h"
#include "tests/client/wakeup_delay.h"
#include "tests/support/catch.h"

namespace claimsd::testing {
namespace {

std::size_t open_descriptors() {
  namespace fs = std::filesystem;
  return static_cast<std::size_t>(
      std::distance(fs::directory_iterator("/proc/self/fd"), fs::directory_iterator()));
}

// Allocators of sanitizers keep freed memory.
constexpr long kMaxGrowthKib =
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    256 * 1024;
#else
    4 * 1024;
#endif

TEST_CASE("forks beside threads: each child gets its own answers, and no child hangs") {
  const int forks = count_from("CLAIMSD_STRESS_FORKS", 100);
  ScratchDirectory directory;
  const StressDaemon daemon(directory / "s");
  const Client client({.socket_path = directory / "s", .timeout = 30s, .max_connections = 3});
  std::atomic<bool> done = false;
  std::atomic<int> wrong = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&, i] {
      for (int j = 0; !done; ++j) {
        const std::string token = std::to_string(i) + "-" + std::to_string(j);
        wrong += is_answered_correctly(client, token) ? 0 : 1;
      }
    });
  }
  const std::size_t before = open_descriptors();
  int failed = 0;
  for (int i = 0; i < forks; ++i) {
    failed +=
        status_of([&] {
          alarm(60);
          const std::string token = "child-" + std::to_string(i);
          return is_answered_correctly(client, token) && is_answered_correctly(client, token + "-2")
                     ? 0
                     : 1;
        }) == 0
            ? 0
            : 1;
  }
  CHECK(open_descriptors() <= before + 3);
  done = true;
  for (std::thread& thread : threads) thread.join();
  CHECK(failed == 0);
  CHECK(wrong == 0);
}

// Overwrites, removes or appends a few bytes of a frame.
void damage(std::string& frame, unsigned number) {
  std::mt19937 random(number);
  const std::size_t changes = 1 + random() % 8;
  for (std::size_t i = 0; i < changes; ++i) {
    frame[random() % frame.size()] = static_cast<char>(random());
  }
  if (random() % 4 == 0) frame.resize(1 + random() % frame.size());
  if (random() % 4 == 0) frame.append(random() % 64, static_cast<char>(random()));
}

TEST_CASE("damaged answers: no crash, and no user id of another length") {
  const int answers = count_from("CLAIMSD_STRESS_MUTATIONS", 1500);
  ScratchDirectory directory;
  const StressDaemon daemon(directory / "s", damage);
  const Client client({.socket_path = directory / "s"});
  const std::string token = "user-1234";
  int odd = 0;
  for (int i = 0; i < answers; ++i) {
    const Answer answer = client.query(token, {.timeout = 2ms});
    odd += answer.valid() && answer.claims().id().size() != token.size() ? 1 : 0;
  }
  // A changed letter of the id looks like another id. A changed length is detected, unless all
  // lengths still add up: that is rare.
  CHECK(odd <= answers / 1000 + 1);
}

// How long calls took that had to end by their timeout. Any thread.
class Timings {
 public:
  void add(Clock::duration took) {
    const std::lock_guard locked(mutex_);
    took_.push_back(took);
  }

  // Each call ended in time, apart from what this machine delays any thread. Without SCHED_FIFO
  // other programs delay some, so only the median counts.
  void check(Clock::duration timeout, bool ran_first) {
    const Clock::duration delay = delay_.worst();
    std::sort(took_.begin(), took_.end());
    const auto in_ms = [](Clock::duration one) {
      return std::chrono::duration<double, std::milli>(one).count();
    };
    CAPTURE(took_.size(), in_ms(took_.front()), in_ms(took_[took_.size() / 2]), in_ms(took_.back()),
            in_ms(delay));
    CHECK(took_.front() >= timeout);
    CHECK((ran_first ? took_.back() - delay : took_[took_.size() / 2]) <= bound_of(timeout));
  }

 private:
  std::mutex mutex_;
  std::vector<Clock::duration> took_;
  WakeupDelay delay_;
};

// A query to a daemon that does not answer. False if it does not end by its timeout.
bool times_out(const Client& client, Milliseconds timeout, Timings& timings) {
  const auto start = Clock::now();
  const Answer answer = client.query("t", {.timeout = timeout});
  timings.add(Clock::now() - start);
  return answer.reason() == "timeout";
}

TEST_CASE("signals at 1 kHz: answers are correct and every deadline holds") {
  const int queries = count_from("CLAIMSD_STRESS_SIGNALS", 60);
  ScratchDirectory directory;
  const StressDaemon daemon(directory / "s");
  const StoppedDaemon stopped(directory / "stopped");
  const Client client({.socket_path = directory / "s"});
  const Client waiting({.socket_path = directory / "stopped"});
  const RunsFirst runs_first;
  struct sigaction action {};
  action.sa_handler = [](int) {};
  sigaction(SIGALRM, &action, nullptr);
  const itimerval kilohertz{.it_interval = {.tv_sec = 0, .tv_usec = 1000},
                            .it_value = {.tv_sec = 0, .tv_usec = 1000}};
  setitimer(ITIMER_REAL, &kilohertz, nullptr);
  int wrong = 0;
  Timings timings;
  for (int i = 0; i < queries; ++i) {
    wrong += is_answered_correctly(client, std::to_string(i), {.timeout = 30s}) ? 0 : 1;
    wrong += times_out(waiting, 50ms, timings) ? 0 : 1;
  }
  const itimerval off{};
  setitimer(ITIMER_REAL, &off, nullptr);
  CHECK(wrong == 0);
  timings.check(50ms, runs_first.granted());
}

TEST_CASE("64 threads wait for a stopped daemon: every deadline holds, also in the pool's queue") {
  const int queries = std::max(1, count_from("CLAIMSD_STRESS_SIGNALS", 60) / 20);
  ScratchDirectory directory;
  const StoppedDaemon stopped(directory / "s");
  const Client client({.socket_path = directory / "s", .max_connections = 16});
  std::atomic<int> wrong = 0;
  std::atomic<bool> ran_first = true;
  Timings timings;
  std::vector<std::thread> threads;
  for (int i = 0; i < 64; ++i) {
    threads.emplace_back([&] {
      const RunsFirst runs_first;
      if (!runs_first.granted()) ran_first = false;
      for (int j = 0; j < queries; ++j) wrong += times_out(client, 200ms, timings) ? 0 : 1;
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(wrong == 0);
  timings.check(200ms, ran_first);
}

TEST_CASE("64 threads on one handle: no wrong answer, no timeout") {
  const int queries = count_from("CLAIMSD_STRESS_QUERIES", 80);
  ScratchDirectory directory;
  const StressDaemon daemon(directory / "s");
  const std::uint32_t connections = GENERATE(0u, 16u);
  const Client client(
      {.socket_path = directory / "s", .timeout = 30s, .max_connections = connections});
  std::atomic<int> wrong = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 64; ++i) {
    threads.emplace_back([&, i] {
      for (int j = 0; j < queries; ++j) {
        wrong += is_answered_correctly(client, std::to_string(i) + "-" + std::to_string(j)) ? 0 : 1;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(wrong == 0);
}

TEST_CASE("many tokens through one handle: the process does not grow") {
  const int tokens = count_from("CLAIMSD_STRESS_TOKENS", 8'000);
  ScratchDirectory directory;
  const StressDaemon daemon(directory / "s");
  const Client client({.socket_path = directory / "s", .timeout = 30s});
  const std::string padding(700, 'x');
  int wrong = 0;
  long before = 0;
  for (int i = 0; i < tokens; ++i) {
    if (i == tokens / 10) before = resident_kib();
    wrong += is_answered_correctly(client, padding + std::to_string(i)) ? 0 : 1;
  }
  CHECK(wrong == 0);
  CHECK(resident_kib() - before < kMaxGrowthKib);
}

TEST_CASE("20 processes of 16 threads: no wrong answer, no timeout") {
  const int queries = count_from("CLAIMSD_STRESS_QUERIES", 80) / 4;
  ScratchDirectory directory;
  const StressDaemon daemon(directory / "s");
  const Client client({.socket_path = directory / "s", .timeout = 60s});
  std::vector<pid_t> children;
  for (int process = 0; process < 20; ++process) {
    const pid_t pid = fork();
    if (pid == 0) {
      std::atomic<int> wrong = 0;
      std::vector<std::thread> threads;
      for (int i = 0; i < 16; ++i) {
        threads.emplace_back([&, i] {
          for (int j = 0; j < queries; ++j) {
            const std::string token = std::to_string(process * 16 + i) + "-" + std::to_string(j);
            wrong += is_answered_correctly(client, token) ? 0 : 1;
          }
        });
      }
      for (std::thread& thread : threads) thread.join();
      _exit(wrong == 0 ? 0 : 1);
    }
    children.push_back(pid);
  }
  int failed = 0;
  for (const pid_t pid : children) {
    int status = -1;
    waitpid(pid, &status, 0);
    failed += status == 0 ? 0 : 1;
  }
  CHECK(failed == 0);
}

}  // namespace
}  // namespace claimsd::testing

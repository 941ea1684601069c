// Processes that are forked with a handle open, and with answers in it.
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/client/map_host.h"
#include "tests/support/catch.h"

namespace claimsd::testing {
namespace {

const std::string kToken = long_token();

template <class Child>
pid_t start(Child&& child) {
  const pid_t pid = fork();
  if (pid == 0) _exit(child() ? 0 : 1);
  return pid;
}

bool was_content(pid_t pid) {
  int status = -1;
  waitpid(pid, &status, 0);
  return status == 0;
}

TEST_CASE("a forked child reads the map, and fills a table of its own") {
  MapHost host;
  host.meet();
  host.publish(kToken);
  REQUIRE(host.ask(kToken) == Source::kShared);
  REQUIRE(host.ask(kToken) == Source::kLocal);
  CHECK(was_content(start([&] {
    return host.ask(kToken) == Source::kShared && host.ask(kToken) == Source::kLocal &&
           host.client.statistics().shared_hits == 1 && host.client.statistics().local_hits == 1 &&
           host.client.statistics().socket_queries == 0;
  })));
  CHECK(host.ask(kToken) == Source::kLocal);
  CHECK(host.daemon.connections() == 1);
}

TEST_CASE("64 prefork workers have each their own answers, from wherever they come") {
  MapHost host({}, {.slots = 4096});
  host.meet();
  for (int i = 0; i < 64; ++i) host.publish(long_token(i));
  std::vector<pid_t> workers;
  for (int worker = 0; worker < 64; ++worker) {
    workers.push_back(start([&] {
      for (int turn = 0; turn < 20; ++turn) {
        host.map->beat();
        for (int i = worker; i < worker + 6; ++i) {  // some of them are not published
          if (host.ask(long_token(i)) == Source::kNone) return false;
        }
      }
      return host.client.statistics().local_hits > 0;
    }));
  }
  for (const pid_t worker : workers) CHECK(was_content(worker));
}

// AddressSanitizer's allocator (of GCC 12) keeps its locks through a fork: a child would wait for
// one of them for ever, whatever the library does.
#ifndef __SANITIZE_ADDRESS__
TEST_CASE("a child forked while other threads look things up goes on") {
  MapHost host({}, {.slots = 256});
  host.meet();
  for (int i = 0; i < 8; ++i) host.publish(long_token(i));
  std::atomic<bool> stop = false;
  std::atomic<int> wrong = 0;
  std::vector<std::thread> threads;
  for (int number = 0; number < 3; ++number) {
    threads.emplace_back([&, number] {
      for (int i = number; !stop; ++i) {
        if (host.ask(long_token(i % 9)) == Source::kNone) ++wrong;
      }
    });
  }
  int content = 0;
  for (int i = 0; i < 50; ++i) {
    host.map->beat();
    content += was_content(start([&] {
      for (int turn = 0; turn < 3; ++turn) {
        for (int token = 0; token < 8; ++token) {
          const Source source = host.ask(long_token(token));
          if (source != (turn == 0 ? Source::kShared : Source::kLocal)) return false;
        }
      }
      return true;
    }))
                   ? 1
                   : 0;
  }
  stop = true;
  for (std::thread& thread : threads) thread.join();
  CHECK(content == 50);
  CHECK(wrong == 0);
}
#endif

TEST_CASE("a process that has no descriptor left for the map does without it") {
  MapHost host;
  CHECK(was_content(start([&] {
    const int next = dup(0);
    close(next);
    // Room for the connection and nothing else.
    const rlimit limit{.rlim_cur = static_cast<rlim_t>(next) + 1,
                       .rlim_max = static_cast<rlim_t>(next) + 1};
    if (setrlimit(RLIMIT_NOFILE, &limit) != 0) return false;
    host.meet();
    return host.client.statistics().map_in_use == 0 && host.ask(kToken) == Source::kCache &&
           host.client.statistics().socket_queries == 2;
  })));
}

}  // namespace
}  // namespace claimsd::testing

// What the library does where the kernel, or a seccomp policy, denies what it would like to use.
#include <sys/resource.h>

#include <fstream>
#include <map>

#include "tests/client/child_process.h"
#include "tests/client/host.h"
#include "tests/support/catch.h"

namespace claimsd::testing {
namespace {

// Which tokens came over which connection.
struct Record {
  std::mutex mutex;
  std::map<int, std::vector<std::string>> tokens;

  void serve(Peer& peer) {
    if (!peer.welcome()) return;
    while (const auto frame = peer.receive()) {
      const auto query = frame->as<proto::Query>();
      if (!query) return;
      {
        const std::lock_guard locked(mutex);
        tokens[peer.number()].emplace_back(query->token);
      }
      peer.send(valid_answer(claims_block(query->token)), frame->header.request_id);
    }
  }
};

// Of this process, in bytes: proc_pid_statm(5).
std::size_t address_space() {
  std::size_t pages = 0;
  std::ifstream("/proc/self/statm") >> pages;
  return pages * static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
}

bool answers_right(const Client& client, const std::string& token) {
  const Answer answer = client.query(token);
  return answer.valid() && answer.claims().id() == token;
}

TEST_CASE("without MADV_WIPEONFORK a child with its parent's pid still opens its own connection") {
  Record record;
  Host host([&record](Peer& peer) { record.serve(peer); });
  const int status = status_of([&] {
    if (!deny_wipe_on_fork()) return 2;
    // Process 1 of a namespace opens the handle; its child is process 1 of another one.
    return status_in_pid_namespace([&] {
      const Client client({.socket_path = host.daemon.path()});
      if (!answers_right(client, "parent")) return 3;
      return status_in_pid_namespace([&] {
        if (getpid() != 1) return 4;
        return answers_right(client, "child") ? 0 : 5;
      });
    });
  });
  if (status == -1) WARN("this user may not make a pid namespace");
  CHECK(status == 0);
  host.daemon.stop();
  CHECK(record.tokens[0] == std::vector<std::string>{"parent"});
  CHECK(record.tokens[1] == std::vector<std::string>{"child"});
}

TEST_CASE("a handle whose process offers no way to notice a fork is not opened") {
  CHECK(status_of([] {
          if (!deny_wipe_on_fork() || !deny(__NR_timer_create, 0, CLOCK_MONOTONIC)) return 2;
          claimsd_handle* handle = nullptr;
          return claimsd_open(nullptr, &handle, nullptr) == CLAIMSD_UNAVAILABLE && handle == nullptr
                     ? 0
                     : 3;
        }) == 0);
}

TEST_CASE("statistics can be read where the local table could not be mapped") {
  const auto reads_statistics = [] {
    claimsd_options options = CLAIMSD_OPTIONS_INIT;
    options.local_entries = 65536;
    claimsd_handle* handle = nullptr;
    if (claimsd_open(&options, &handle, nullptr) != CLAIMSD_OK) return 3;
    claimsd_statistics counted = CLAIMSD_STATISTICS_INIT;
    if (claimsd_read_statistics(handle, &counted) != CLAIMSD_OK) return 4;
    claimsd_close(handle);
    return counted.local_entries == 0 && counted.local_bytes == 0 && counted.local_hits == 0 ? 0
                                                                                             : 5;
  };
  SECTION("because madvise is denied") {
    CHECK(status_of([&] { return deny_wipe_on_fork() ? reads_statistics() : 2; }) == 0);
  }
#ifndef __SANITIZE_ADDRESS__
  SECTION("because the address space is limited") {
    CHECK(status_of([&] {
            const rlimit limit{.rlim_cur = address_space() + (std::size_t{32} << 20),
                               .rlim_max = RLIM_INFINITY};
            return setrlimit(RLIMIT_AS, &limit) == 0 ? reads_statistics() : 2;
          }) == 0);
  }
#endif
}

}  // namespace
}  // namespace claimsd::testing

// A hit is no system call: a process that may make none answers ten thousand of them.
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstddef>

#include "tests/client/map_host.h"
#include "tests/support/catch.h"

namespace claimsd::testing {
namespace {

// From here on only leaving is allowed: anything else kills (seccomp(2)).
bool forbid_system_calls() {
  sock_filter rules[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_exit_group, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
  };
  const sock_fprog program{.len = sizeof rules / sizeof rules[0], .filter = rules};
  return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
         prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

int status_of(const std::function<int()>& body) {
  const pid_t pid = fork();
  if (pid == 0) _exit(body());
  int status = -1;
  waitpid(pid, &status, 0);
  return status;
}

int hit_ten_thousand_times(const MapHost& host, claimsd_source expected) {
  const std::string token = long_token();
  claimsd_query_request request = CLAIMSD_QUERY_REQUEST_INIT;
  request.token = token.data();
  request.token_size = token.size();
  const auto ask = [&] {
    claimsd_answer* answer = nullptr;
    claimsd_query(host.client.get(), &request, &answer);
    const claimsd_source source = claimsd_answer_source(answer);
    claimsd_answer_free(answer);
    return source;
  };
  static_cast<void>(host.client.query("a token that is short"));
  for (int i = 0; i < 10; ++i) ask();
  if (!forbid_system_calls()) return 2;
  for (int i = 0; i < 10'000; ++i) {
    if (ask() != expected) return 3;
  }
  if (!host.client.peek(token) || host.client.peek(long_token(1))) return 4;
  return 0;
}

TEST_CASE("a hit makes no system call") {
  MapHost host({}, {}, {});
  MapHost without_table({.flags = CLAIMSD_NO_LOCAL_TABLE});
  host.publish(long_token(), {.hard_end = wall_now() + 600 * kSecond});
  without_table.publish(long_token(), {.hard_end = wall_now() + 10 * kSecond});
  CHECK(status_of([&] { return hit_ten_thousand_times(host, CLAIMSD_SOURCE_LOCAL); }) == 0);
  CHECK(status_of([&] { return hit_ten_thousand_times(without_table, CLAIMSD_SOURCE_SHARED); }) ==
        0);
}

TEST_CASE("a process that may make no system call and asks over the socket is killed") {
  MapHost host({.flags = CLAIMSD_SOCKET_ONLY});
  CHECK(WIFSIGNALED(status_of([&] { return hit_ten_thousand_times(host, CLAIMSD_SOURCE_CACHE); })));
}

}  // namespace
}  // namespace claimsd::testing

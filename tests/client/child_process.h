// child_process.h: runs part of a test in a process of its own, with fewer rights than the test.
#pragma once

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>

namespace claimsd::testing {

// The wait(2) status of a child that exits with what `body` returns. 0: it returned 0.
template <class Body>
int status_of(Body&& body) {
  const pid_t pid = fork();
  if (pid == 0) _exit(body());
  int status = -1;
  while (waitpid(pid, &status, 0) < 0 && errno == EINTR) continue;
  return status;
}

// From now on the system call fails with EINVAL in this process if its argument `index` is `value`.
inline bool deny(unsigned number, std::size_t index, unsigned value) {
  const auto argument =
      static_cast<unsigned>(offsetof(seccomp_data, args) + index * sizeof(std::uint64_t));
  sock_filter rules[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 3),
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, argument),  // the low word on little-endian machines
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EINVAL),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  const sock_fprog program{.len = sizeof rules / sizeof rules[0], .filter = rules};
  return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
         prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

// As on gVisor, on kernels before 4.14 and under some seccomp policies.
inline bool deny_wipe_on_fork() {
  return deny(__NR_madvise, 2, MADV_WIPEONFORK);
}

// Runs `body` as process 1 of a new pid namespace. -1 if this user may not make one.
template <class Body>
int status_in_pid_namespace(Body&& body) {
  if (unshare(CLONE_NEWPID) != 0 && unshare(CLONE_NEWUSER | CLONE_NEWPID) != 0) return -1;
  return status_of(body);
}

}  // namespace claimsd::testing

// pager.h: sends long output on a terminal through less(1). One per process, owned by main and
// created after Output, which has to see the real terminal. Single-threaded.
//
// claimsctl often runs under sudo, for users who may run nothing else as root. So the program is
// always /usr/bin/less, in its secure mode (LESSSECURE: no shell, no other files, no editor), with
// none of the caller's settings for less in its environment. $PAGER names no program: "" and "cat"
// turn paging off, all else is ignored. There is no pager either if standard output is not a
// terminal or less is not installed.
#pragma once

#include <sys/types.h>

namespace claimsd::claimsctl {

class Pager {
 public:
  Pager() = default;
  // Redirects standard output into the pager.
  static Pager start();
  // Waits for the pager to exit.
  ~Pager();
  Pager(Pager&& other) noexcept;
  Pager& operator=(Pager&&) = delete;
  Pager(const Pager&) = delete;
  Pager& operator=(const Pager&) = delete;

 private:
  explicit Pager(pid_t process) : process_(process) {}
  pid_t process_ = 0;  // 0: no pager
};

}  // namespace claimsd::claimsctl

// pager.h: sends long output on a terminal through a pager: $PAGER, else less. One per process,
// owned by main and created after Output, which has to see the real terminal. Single-threaded.
//
// less gets "FRX" unless $LESS is set: it exits if everything fits the screen, passes colors
// through, and leaves its output on the screen. No shell is involved: $PAGER is split at spaces. No
// pager is used if standard output is not a terminal, $PAGER is empty or "cat", or the program does
// not exist.
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

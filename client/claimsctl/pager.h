// pager.h: longer output on a terminal goes through a pager: $PAGER, else less. One per process,
// made by main after the Output that asks whether there is a terminal; one thread.
//
// less gets "FRX", unless $LESS says otherwise: it ends by itself where all fits the screen, lets
// colours pass, and leaves what it has shown. No shell takes part: $PAGER is cut at its spaces.
// Where standard output is no terminal, $PAGER is empty or "cat", or there is no such program,
// nothing happens.
#pragma once

#include <sys/types.h>

namespace claimsd::ctl {

class Pager {
 public:
  Pager() = default;
  // From now on standard output is the pager's input.
  static Pager start();
  // Waits until the person has read it.
  ~Pager();
  Pager(Pager&& other) noexcept;
  Pager& operator=(Pager&&) = delete;
  Pager(const Pager&) = delete;
  Pager& operator=(const Pager&) = delete;

 private:
  explicit Pager(pid_t process) : process_(process) {}
  pid_t process_ = 0;  // 0: there is none
};

}  // namespace claimsd::ctl

// For builds with sanitizers: their runtime makes other system calls, such as ptrace(2) at exit.
#include "daemon/sandbox/system_call_filter.h"

namespace claimsd::daemon {

Status forbid_io_uring() {
  return failure(
      "the system call filter is off in builds with sanitizers, because they need other system "
      "calls");
}

Status install_system_call_filter() {
  return forbid_io_uring();
}

}  // namespace claimsd::daemon

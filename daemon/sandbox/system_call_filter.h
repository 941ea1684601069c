// system_call_filter.h: from here on, this process can make the system calls of system_calls.h and
// no others: seccomp(2), by libseccomp.
//
// For all threads, those that run already and those to come; not to be undone. Once, when
// everything that needs more has been done: after start. The unit has a filter of its own
// (systemd/), a wider one, since systemd needs execve(2) to start us; this one also serves a daemon
// that was started by hand or in a container. A kernel without seccomp is an error that the caller
// may go on with.
//
// In two steps. forbid_io_uring() comes before the first event loop: libuv 1.45 and later makes an
// io_uring(7) ring for each loop and aborts when the ring stops working, but does without one if
// io_uring_setup(2) fails. A ring would also bypass the second step, install_system_call_filter(),
// because operations that a ring submits are not system calls.
//
// Costs nothing that can be measured where the kernel keeps a bitmap of what is always allowed
// (Linux 5.11 and later).
#pragma once

#include "daemon/base/result.h"

namespace claimsd::daemon {

// io_uring_setup(2) and its kin fail with ENOSYS from here on; everything else is still allowed.
Status forbid_io_uring();

Status install_system_call_filter();

}  // namespace claimsd::daemon

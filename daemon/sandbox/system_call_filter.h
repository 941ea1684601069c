// system_call_filter.h: restricts this process to the system calls listed in system_calls.h:
// seccomp(2), through libseccomp.
//
// Applies to all threads, running and future, and cannot be undone. Install it once, after start
// has done everything that needs more. The unit's own filter (systemd/) is wider, because systemd
// needs execve(2) to start us. This one also covers a daemon started by hand or in a container. A
// kernel without seccomp is an error that the caller may ignore.
//
// Two steps. forbid_io_uring() runs before the first event loop: libuv 1.45 and later creates an
// io_uring(7) ring per loop and aborts when the ring stops working, but works without one if
// io_uring_setup(2) fails. A ring would also bypass the second step, install_system_call_filter(),
// because operations submitted through a ring are not system calls.
//
// No measurable cost where the kernel caches always-allowed calls in a bitmap (Linux 5.11 and
// later).
#pragma once

#include "daemon/base/result.h"

namespace claimsd::sandbox {

// From here on io_uring_setup(2) and related calls fail with ENOSYS. Everything else stays allowed.
Status forbid_io_uring();

Status install_system_call_filter();

}  // namespace claimsd::sandbox

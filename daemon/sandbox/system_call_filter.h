// system_call_filter.h: from here on, this process can make the system calls of system_calls.h and
// no others: seccomp(2), by libseccomp.
//
// For all threads, those that run already and those to come; not to be undone. Once, when
// everything that needs more has been done: after start. The unit has a filter of its own
// (systemd/), a wider one, since systemd needs execve(2) to start us; this one also serves a daemon
// that was started by hand or in a container. A kernel without seccomp is an error that the caller
// may go on with.
//
// Costs nothing that can be measured where the kernel keeps a bitmap of what is always allowed
// (Linux 5.11 and later).
#pragma once

#include "daemon/base/result.h"

namespace claimsd::daemon {

Status install_system_call_filter();

}  // namespace claimsd::daemon

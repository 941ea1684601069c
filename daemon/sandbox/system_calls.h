// system_calls.h: the system calls that claimsd makes after start, as data. system_call_filter.h
// turns them into a kernel filter. Constant data; any thread.
//
// Not allowed                | result
// ---------------------------+---------------------------------------------------------------------
// hostile calls: only an     | The process is killed. An intruder who got this far can already read
// intruder makes them        | its memory, and systemd starts a clean process a moment later.
// other socket families      | EAFNOSUPPORT, as from a kernel without them. getaddrinfo(3) tries
//                            | AF_NETLINK and works without it.
// everything else            | ENOSYS, not a kill. A new libc tries new calls and falls back if the
//                            | kernel lacks them (clone3), so a security update of Debian cannot
//                            | stop the daemon. The kernel's audit log names each such call.
#pragma once

#include <span>

namespace claimsd::sandbox {

// Names as in syscalls(2). The filter skips those that an architecture does not have.
std::span<const char* const> allowed_system_calls();
std::span<const char* const> hostile_system_calls();
// Forbidden before all others: system_call_filter.h.
std::span<const char* const> io_uring_system_calls();

// AF_* for socket(2) and socketpair(2).
std::span<const int> allowed_socket_families();

}  // namespace claimsd::sandbox

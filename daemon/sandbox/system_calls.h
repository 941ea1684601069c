// system_calls.h: which system calls claimsd makes once it has started, as data. The filter
// (system_call_filter.h) makes a program for the kernel of it.
//
// Three kinds of what is not allowed:
// - hostile: what only an intruder calls here. The process is killed at once: whoever got so far
// has
//   its memory already, and systemd has a clean one running a moment later.
// - socket families other than those listed: EAFNOSUPPORT, the answer of a kernel without them.
//   getaddrinfo(3) asks for AF_NETLINK and does without.
// - everything else: ENOSYS, not a kill. A new libc tries new calls and falls back when the kernel
//   does not know them (clone3, EPERM and containers taught that); a security update of Debian
//   must not take the logins of a clinic down. The kernel's audit log names each such call.
#pragma once

#include <span>

namespace claimsd::daemon {

// By name, as in syscalls(2); the filter skips those that an architecture does not have.
std::span<const char* const> allowed_system_calls();
std::span<const char* const> hostile_system_calls();
// Forbidden before everything else: system_call_filter.h.
std::span<const char* const> io_uring_system_calls();

// socket(2), socketpair(2): AF_*.
std::span<const int> allowed_socket_families();

}  // namespace claimsd::daemon

#include "daemon/sandbox/system_calls.h"

#include <sys/socket.h>

#include <array>

namespace claimsd::sandbox {
namespace {

// Calls with extra conditions are in system_call_filter.cc: clone (threads only), prlimit64 (read
// only), sched_setscheduler and setpriority (lower priority only), socket and socketpair (by
// family).
constexpr std::array kAllowed = {
    // memory: malloc, LMDB, the shared map, libraries that getaddrinfo(3) loads
    "brk", "madvise", "membarrier", "memfd_create", "mlock", "mlock2", "mmap", "mprotect", "mremap",
    "msync", "munlock", "munmap",
    // threads and exit
    "arch_prctl", "exit", "exit_group", "futex", "futex_time64", "futex_waitv", "get_robust_list",
    "getcpu", "getpid", "getppid", "gettid", "prctl", "restart_syscall", "rseq",
    "sched_getaffinity", "sched_yield", "set_robust_list", "set_tid_address",
    // signals; tgkill for abort(3)
    "rt_sigaction", "rt_sigpending", "rt_sigprocmask", "rt_sigreturn", "rt_sigtimedwait",
    "sigaltstack", "tgkill",
    // clocks
    "clock_getres", "clock_gettime", "clock_nanosleep", "gettimeofday", "nanosleep", "time",
    "timerfd_create", "timerfd_gettime", "timerfd_settime",
    // waiting
    "epoll_create1", "epoll_ctl", "epoll_pwait", "epoll_pwait2", "epoll_wait", "eventfd2", "pipe",
    "pipe2", "poll", "ppoll", "pselect6", "select",
    // files: configuration and certificates on reload, LMDB, audit segments, credentials
    "access", "chmod", "chown", "close", "close_range", "dup", "dup2", "dup3", "faccessat",
    "faccessat2", "fadvise64", "fallocate", "fchmod", "fchmodat", "fchown", "fchownat", "fcntl",
    "fdatasync", "flock", "fstat", "fstatfs", "fsync", "ftruncate", "getcwd", "getdents64", "ioctl",
    "lchown", "link", "linkat", "lseek", "lstat", "mkdir", "mkdirat", "newfstatat", "open",
    "openat", "pread64", "preadv", "pwrite64", "pwritev", "read", "readlink", "readlinkat", "readv",
    "rename", "renameat", "renameat2", "rmdir", "sendfile", "stat", "statfs", "statx", "umask",
    "uname", "unlink", "unlinkat", "write", "writev",
    // sockets, after socket(2)
    "accept", "accept4", "bind", "connect", "getpeername", "getsockname", "getsockopt", "listen",
    "recvfrom", "recvmmsg", "recvmsg", "sendmmsg", "sendmsg", "sendto", "setsockopt", "shutdown",
    // identity, randomness, resources
    "getegid", "geteuid", "getgid", "getgroups", "getpriority", "getrandom", "getresgid",
    "getresuid", "getrlimit", "getrusage", "getuid", "sysinfo", "times"};

constexpr std::array kHostile = {
    // replace the program
    "execve", "execveat",
    // access other processes
    "process_vm_readv", "process_vm_writev", "ptrace", "pidfd_getfd",
    // change namespaces, mounts or the kernel
    "bpf", "chroot", "delete_module", "finit_module", "init_module", "kexec_file_load",
    "kexec_load", "mount", "perf_event_open", "pivot_root", "setns", "umount2", "unshare",
    "userfaultfd",
    // change the user
    "setfsgid", "setfsuid", "setgid", "setgroups", "setregid", "setresgid", "setresuid", "setreuid",
    "setuid", "capset"};

constexpr std::array kIoUring = {"io_uring_setup", "io_uring_enter", "io_uring_register"};

constexpr std::array kFamilies = {AF_UNIX, AF_INET, AF_INET6};

}  // namespace

std::span<const char* const> allowed_system_calls() {
  return kAllowed;
}

std::span<const char* const> hostile_system_calls() {
  return kHostile;
}

std::span<const char* const> io_uring_system_calls() {
  return kIoUring;
}

std::span<const int> allowed_socket_families() {
  return kFamilies;
}

}  // namespace claimsd::sandbox

/* Makes an intruder's system calls inside a real daemon. Preloaded into it (LD_PRELOAD), it waits
 * on its own thread for the name of a call on the FIFO $CLAIMSD_PLANTED, makes that call, and
 * writes 0 or an errno to $CLAIMSD_PLANTED.out. Linked into a program (planted_main.c), the same
 * calls show what a unit allows. */
#define _GNU_SOURCE
#include "planted.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* Executes another program in a vfork(2) child, so that the caller survives a successful call. */
static int plant_execve(void) {
  volatile int failed = 0; /* written by the child, in our memory */
  const pid_t child = vfork();
  if (child == 0) {
    char* const arguments[] = {"true", NULL};
    execve("/bin/true", arguments, NULL);
    failed = errno;
    _exit(1);
  }
  if (child < 0) return errno;
  int status = 0;
  waitpid(child, &status, 0);
  if (WIFSIGNALED(status)) return 1000 + WTERMSIG(status);
  return failed;
}

/* Replaces the caller. Returns only if the call is refused. */
static int plant_exec_here(void) {
  char* const arguments[] = {"true", NULL};
  execve("/bin/true", arguments, NULL);
  return errno;
}

static int plant_fork(void) {
  const pid_t child = (pid_t)syscall(SYS_clone, 17 /* SIGCHLD */, 0, 0, 0, 0);
  if (child == 0) _exit(0);
  if (child < 0) return errno;
  waitpid(child, NULL, 0);
  return 0;
}

/* PTRACE_CONT without a tracee fails with ESRCH, which proves that the kernel ran ptrace(2). */
static int plant_ptrace(void) {
  return ptrace(PTRACE_CONT, getpid(), NULL, NULL) == 0 || errno == ESRCH ? 0 : errno;
}

static int plant_socket(int family, int type) {
  const int fd = socket(family, type, 0);
  if (fd < 0) return errno;
  close(fd);
  return 0;
}

static int plant_unshare(void) {
  return unshare(CLONE_NEWUSER) == 0 ? 0 : errno;
}

static int plant_core(void) {
  const struct rlimit all = {RLIM_INFINITY, RLIM_INFINITY};
  return setrlimit(RLIMIT_CORE, &all) == 0 ? 0 : errno;
}

/* A lower priority class than the audit thread's. */
static int plant_idle(void) {
  const struct sched_param unused = {0};
  return sched_setscheduler(0, SCHED_IDLE, &unused) == 0 ? 0 : errno;
}

/* Targets another thread than the caller. */
static int plant_renice(void) {
  return setpriority(PRIO_PROCESS, (id_t)getpid(), 1) == 0 ? 0 : errno;
}

static int plant_io_uring(void) {
  char parameters[256] = {0}; /* struct io_uring_params is 120 bytes */
  const int ring = (int)syscall(SYS_io_uring_setup, 1, parameters);
  if (ring < 0) return errno;
  close(ring);
  return 0;
}

/* Without arguments it fails with EINVAL if it is allowed. */
static int plant_clone3(void) {
  return syscall(SYS_clone3, NULL, 0) >= 0 || errno == EINVAL ? 0 : errno;
}

/* getpid(2) by the gate for 32-bit programs, where system calls have other numbers. */
static int plant_foreign(void) {
#ifdef __x86_64__
  long result = 0;
  __asm__ volatile("int $0x80" : "=a"(result) : "a"(20) : "memory");
  return result == getpid() ? 0 : -1;
#else
  return -1;
#endif
}

int plant(const char* call) {
  if (strcmp(call, "foreign") == 0) return plant_foreign();
  if (strcmp(call, "clone3") == 0) return plant_clone3();
  if (strcmp(call, "io_uring") == 0) return plant_io_uring();
  if (strcmp(call, "execve") == 0) return plant_execve();
  if (strcmp(call, "exec-here") == 0) return plant_exec_here();
  if (strcmp(call, "fork") == 0) return plant_fork();
  if (strcmp(call, "ptrace") == 0) return plant_ptrace();
  if (strcmp(call, "netlink") == 0) return plant_socket(AF_NETLINK, SOCK_RAW);
  if (strcmp(call, "packet") == 0) return plant_socket(AF_PACKET, SOCK_DGRAM);
  if (strcmp(call, "vsock") == 0) return plant_socket(AF_VSOCK, SOCK_STREAM);
  if (strcmp(call, "inet") == 0) return plant_socket(AF_INET, SOCK_STREAM);
  if (strcmp(call, "unshare") == 0) return plant_unshare();
  if (strcmp(call, "core") == 0) return plant_core();
  if (strcmp(call, "idle") == 0) return plant_idle();
  if (strcmp(call, "renice") == 0) return plant_renice();
  return -1;
}

static void* wait_for_orders(void* path) {
  char call[32] = "";
  char out_path[512];
  snprintf(out_path, sizeof out_path, "%s.out", (const char*)path);
  const int in = open(path, O_RDONLY | O_CLOEXEC);
  const ssize_t got = read(in, call, sizeof call - 1);
  if (got > 0) {
    const int out = open(out_path, O_WRONLY | O_CLOEXEC);
    dprintf(out, "%d\n", plant(call));
    close(out);
  }
  close(in);
  free(path);
  return NULL;
}

__attribute__((constructor)) static void begin(void) {
  const char* const path = getenv("CLAIMSD_PLANTED");
  pthread_t thread;
  if (path != NULL) pthread_create(&thread, NULL, wait_for_orders, strdup(path));
}

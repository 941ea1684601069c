/* watched_disk: an LD_PRELOAD library that counts, fails and traces file calls below a
 * directory.
 *
 * WATCHED_DIRECTORY   real path of the directory; if unset, nothing is done
 * WATCHED_FAIL_AT     the n-th call that changes or flushes a file there fails with EIO; from 1
 * WATCHED_FAIL_COUNT  how many calls fail from then on; default 1
 * WATCHED_ORDERS      a file of two 64-bit numbers that may be changed while the process runs:
 *                     how many calls succeed, and how many then fail; both count down
 * WATCHED_FLUSH_MS    how long each flush takes, in milliseconds; default 0
 * WATCHED_CALLS       a file that receives the number of such calls at exit
 * WATCHED_TRACE       a file to which each call is appended (watched_trace.h reads it)
 *
 * Covers only the calls that LMDB and the audit log make. Only the counter is thread-safe: one
 * thread at a time may write below the directory. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

static atomic_long calls;

struct orders {
  _Atomic int64_t work;
  _Atomic int64_t fail;
};
static struct orders* orders;

/* At start, before the process drops the privilege to open the file. */
__attribute__((constructor)) static void map_orders(void) {
  const char* path = getenv("WATCHED_ORDERS");
  if (path == NULL) return;
  int fd = open(path, O_RDWR | O_CLOEXEC);
  void* map = mmap(NULL, sizeof *orders, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (fd < 0 || map == MAP_FAILED) abort();
  close(fd);
  orders = map;
}

static int fails_as_ordered(void) {
  if (orders == NULL || atomic_load(&orders->fail) <= 0) return 0;
  if (atomic_load(&orders->work) > 0) {
    atomic_fetch_sub(&orders->work, 1);
    return 0;
  }
  atomic_fetch_sub(&orders->fail, 1);
  errno = EIO;
  return 1;
}

static int real_write(int fd, const void* bytes, size_t size) {
  static ssize_t (*real)(int, const void*, size_t);
  if (real == NULL) *(void**)&real = dlsym(RTLD_NEXT, "write");
  return real(fd, bytes, size) == (ssize_t)size ? 0 : -1;
}

static int trace_fd(void) {
  static int fd = -2;
  if (fd == -2) {
    const char* path = getenv("WATCHED_TRACE");
    fd = path == NULL ? -1 : open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  }
  return fd;
}

/* kind, flags, path, offset, data: watched_trace.h. */
static void trace(char kind, char flags, const char* path, uint64_t offset, const void* data,
                  uint64_t size) {
  if (trace_fd() < 0) return;
  uint32_t path_size = (uint32_t)strlen(path);
  size_t total = 2 + 4 + path_size + 8 + 8 + size;
  char* record = malloc(total);
  char* at = record;
  if (record == NULL) abort();
  *at++ = kind;
  *at++ = flags;
  memcpy(at, &path_size, 4), at += 4;
  memcpy(at, path, path_size), at += path_size;
  memcpy(at, &offset, 8), at += 8;
  memcpy(at, &size, 8), at += 8;
  if (size > 0) memcpy(at, data, size);
  if (real_write(trace_fd(), record, total) != 0) abort();
  free(record);
}

static int below(const char* path) {
  const char* directory = getenv("WATCHED_DIRECTORY");
  return directory != NULL && strncmp(path, directory, strlen(directory)) == 0;
}

static int path_of(int fd, char* path) {
  char link[64];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t size = readlink(link, path, PATH_MAX - 1);
  if (size <= 0) return 0;
  path[size] = '\0';
  return below(path);
}

static int fails(void) {
  const char* at = getenv("WATCHED_FAIL_AT");
  const char* count = getenv("WATCHED_FAIL_COUNT");
  long call = atomic_fetch_add(&calls, 1) + 1;
  if (at == NULL) return fails_as_ordered();
  long first = strtol(at, NULL, 10);
  long last = first + (count == NULL ? 1 : strtol(count, NULL, 10));
  if (call < first || call >= last) return 0;
  errno = EIO;
  return 1;
}

__attribute__((destructor)) static void tell(void) {
  const char* path = getenv("WATCHED_CALLS");
  if (path == NULL) return;
  FILE* out = fopen(path, "w");
  if (out == NULL) return;
  fprintf(out, "%ld\n", atomic_load(&calls));
  fclose(out);
}

static char flags_of(int fd) {
  int flags = fcntl(fd, F_GETFL);
  return (char)(flags >= 0 && (flags & O_DSYNC) != 0);
}

#define REAL(name)               \
  static __typeof__(&name) real; \
  if (real == NULL) *(void**)&real = dlsym(RTLD_NEXT, #name)

ssize_t write(int fd, const void* bytes, size_t size) {
  REAL(write);
  char path[PATH_MAX];
  if (fd == STDOUT_FILENO) trace('A', 0, "", 0, bytes, size); /* an acknowledgement */
  if (!path_of(fd, path)) return real(fd, bytes, size);
  if (fails()) return -1;
  int append = (fcntl(fd, F_GETFL) & O_APPEND) != 0;
  off_t offset = append ? lseek(fd, 0, SEEK_END) : lseek(fd, 0, SEEK_CUR);
  ssize_t done = real(fd, bytes, size);
  if (done > 0) trace('W', flags_of(fd), path, (uint64_t)offset, bytes, (uint64_t)done);
  return done;
}

ssize_t pwrite64(int fd, const void* bytes, size_t size, off64_t offset) {
  REAL(pwrite64);
  char path[PATH_MAX];
  if (!path_of(fd, path)) return real(fd, bytes, size, offset);
  if (fails()) return -1;
  ssize_t done = real(fd, bytes, size, offset);
  if (done > 0) trace('W', flags_of(fd), path, (uint64_t)offset, bytes, (uint64_t)done);
  return done;
}

ssize_t pwrite(int fd, const void* bytes, size_t size, off_t offset) {
  return pwrite64(fd, bytes, size, offset);
}

static void trace_parts(int fd, const char* path, const struct iovec* parts, int count,
                        uint64_t offset, ssize_t left) {
  for (int i = 0; i < count && left > 0; i++) {
    size_t size = (size_t)left < parts[i].iov_len ? (size_t)left : parts[i].iov_len;
    trace('W', flags_of(fd), path, offset, parts[i].iov_base, size);
    offset += size;
    left -= (ssize_t)size;
  }
}

ssize_t writev(int fd, const struct iovec* parts, int count) {
  REAL(writev);
  char path[PATH_MAX];
  if (!path_of(fd, path)) return real(fd, parts, count);
  if (fails()) return -1;
  off_t offset = lseek(fd, 0, SEEK_CUR);
  ssize_t done = real(fd, parts, count);
  trace_parts(fd, path, parts, count, (uint64_t)offset, done);
  return done;
}

ssize_t pwritev64(int fd, const struct iovec* parts, int count, off64_t offset) {
  REAL(pwritev64);
  char path[PATH_MAX];
  if (!path_of(fd, path)) return real(fd, parts, count, offset);
  if (fails()) return -1;
  ssize_t done = real(fd, parts, count, offset);
  trace_parts(fd, path, parts, count, (uint64_t)offset, done);
  return done;
}

ssize_t pwritev(int fd, const struct iovec* parts, int count, off_t offset) {
  return pwritev64(fd, parts, count, offset);
}

static void take_time(void) {
  const char* text = getenv("WATCHED_FLUSH_MS");
  long milliseconds = text == NULL ? 0 : atol(text);
  struct timespec left = {milliseconds / 1000, milliseconds % 1000 * 1000000};
  while (nanosleep(&left, &left) != 0) continue;
}

static int flush(int fd, int (*real)(int)) {
  char path[PATH_MAX];
  if (!path_of(fd, path)) return real(fd);
  if (fails()) return -1;
  take_time();
  int done = real(fd);
  if (done == 0) trace('F', 0, path, 0, NULL, 0);
  return done;
}

int fdatasync(int fd) {
  REAL(fdatasync);
  return flush(fd, real);
}

int fsync(int fd) {
  REAL(fsync);
  return flush(fd, real);
}

int ftruncate64(int fd, off64_t size) {
  REAL(ftruncate64);
  char path[PATH_MAX];
  if (!path_of(fd, path)) return real(fd, size);
  if (fails()) return -1;
  int done = real(fd, size);
  if (done == 0) trace('T', 0, path, (uint64_t)size, NULL, 0);
  return done;
}

int ftruncate(int fd, off_t size) {
  return ftruncate64(fd, size);
}

int link(const char* from, const char* to) {
  REAL(link);
  if (!below(to)) return real(from, to);
  if (fails()) return -1;
  int done = real(from, to);
  if (done == 0) trace('L', 0, from, 0, to, strlen(to));
  return done;
}

int rename(const char* from, const char* to) {
  REAL(rename);
  if (!below(to)) return real(from, to);
  if (fails()) return -1;
  int done = real(from, to);
  if (done == 0) trace('R', 0, from, 0, to, strlen(to));
  return done;
}

int unlink(const char* path) {
  REAL(unlink);
  int done = real(path);
  if (done == 0 && below(path)) trace('U', 0, path, 0, NULL, 0);
  return done;
}

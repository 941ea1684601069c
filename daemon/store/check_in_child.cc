#include "daemon/store/check_in_child.h"

#include <errno.h>
#include <fcntl.h>
#include <fmt/core.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>

#include "daemon/base/fd.h"
#include "daemon/store/lmdb_pages.h"
#include "daemon/store/private_directory.h"

namespace claimsd::store {
namespace {

constexpr Duration kTimeLimit = seconds(60);  // for a slow disk; below systemd's start timeout
constexpr char kPassed = '+';
constexpr char kFailed = '-';

[[noreturn]] void run_child(const std::function<Status()>& check, int out) {
  for (const int fatal : {SIGSEGV, SIGBUS, SIGABRT, SIGFPE, SIGILL}) std::signal(fatal, SIG_DFL);
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  const Status status = check();
  const std::string report = status ? std::string(1, kPassed) : kFailed + status.error().message;
  const ssize_t wrote = write(out, report.data(), report.size());
  _exit(wrote == static_cast<ssize_t>(report.size()) ? 0 : 1);
}

// What the child wrote until it ended or the time was up.
std::string read_report(int fd, Duration limit) {
  std::string report;
  char part[512];
  const BootTime end = SystemClock().now().boot + limit;
  for (;;) {
    const Duration left = end - SystemClock().now().boot;
    const auto wait = std::chrono::ceil<milliseconds>(std::max(left, Duration()));
    pollfd readable{.fd = fd, .events = POLLIN, .revents = 0};
    const int ready = poll(&readable, 1, static_cast<int>(wait.count()));
    if (ready < 0 && errno == EINTR) continue;
    if (ready <= 0) return {};
    const ssize_t got = read(fd, part, sizeof part);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return report;
    report.append(part, static_cast<std::size_t>(got));
  }
}

Status check_pages_of(const std::string& path) {
  const Fd fd(open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK));
  if (!fd && errno == ENOENT) return {};
  struct stat found {};
  if (!fd || fstat(fd.get(), &found) != 0) return failure(errno_text(errno));
  if (!S_ISREG(found.st_mode)) return failure("it is not a regular file");
  if (found.st_size == 0) return {};
  const auto size = static_cast<std::size_t>(found.st_size);
  void* const map = mmap(nullptr, size, PROT_READ, MAP_SHARED, fd.get(), 0);
  if (map == MAP_FAILED) return failure(errno_text(errno));
  return check_lmdb_pages({static_cast<const char*>(map), size});  // the child ends with the map
}

}  // namespace

Status check_in_child(const std::function<Status()>& check, Duration limit) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) {
    return failure(fmt::format("cannot start a child process to check it: {}", errno_text(errno)));
  }
  const Fd in(ends[0]);
  Fd out(ends[1]);
  const pid_t child = fork();
  if (child == 0) run_child(check, out.get());
  const int error = errno;
  out.reset();
  if (child < 0) {
    return failure(fmt::format("cannot start a child process to check it: {}", errno_text(error)));
  }
  const std::string report = read_report(in.get(), limit);
  if (report.empty()) kill(child, SIGKILL);
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) continue;
  if (report.starts_with(kPassed)) return {};
  if (report.starts_with(kFailed)) return failure(report.substr(1));
  if (WIFSIGNALED(status) && WTERMSIG(status) != SIGKILL)
    return failure(fmt::format("reading it ends in {}", strsignal(WTERMSIG(status))));
  return failure("it cannot be read in time");
}

Status check_lmdb_file(const std::string& path) {
  return check_in_child([&path] { return check_pages_of(path); }, kTimeLimit);
}

}  // namespace claimsd::store

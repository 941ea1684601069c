#include "tests/bench/process.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>
#include <utility>

#include "tests/bench/socket.h"

namespace claimsd::bench {
namespace {

using std::chrono::milliseconds;

int to_ms(milliseconds limit) {
  return static_cast<int>(limit.count());
}

// By number, because the header of glibc 2.36 declares pidfd_open without C linkage.
Fd open_pidfd(pid_t pid) {
  return Fd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
}

// In the child: dies with `parent`, and has the signal state of a program started from a shell.
void settle(pid_t parent, int death_signal) {
  ::prctl(PR_SET_PDEATHSIG, death_signal);
  if (::getppid() != parent) ::_exit(1);  // the parent ended before prctl()
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  ::signal(SIGPIPE, SIG_DFL);
}

// In the child: never returns.
void exec(std::vector<char*>& argv, const Process::Options& options) {
  const int log = ::open(options.log_path.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
  const int nothing = ::open("/dev/null", O_RDONLY);
  if (log < 0 || nothing < 0) ::_exit(126);
  ::dup2(nothing, STDIN_FILENO);
  ::dup2(log, STDOUT_FILENO);
  ::dup2(log, STDERR_FILENO);
  for (const std::string& variable : options.environment)
    ::putenv(const_cast<char*>(variable.c_str()));
  ::execvp(argv.front(), argv.data());
  ::dprintf(STDERR_FILENO, "exec: %s", std::strerror(errno));
  ::_exit(127);
}

std::string tail_of(const std::string& path) {
  constexpr std::size_t kShown = 600;
  std::ifstream file(path);
  std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  return text.size() > kShown ? text.substr(text.size() - kShown) : text;
}

}  // namespace

Process::Process(pid_t pid, Fd pidfd, std::string name, std::string log_path)
    : pid_(pid), pidfd_(std::move(pidfd)), name_(std::move(name)), log_path_(std::move(log_path)) {}

Process::Process(Process&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)),
      pidfd_(std::move(other.pidfd_)),
      name_(std::move(other.name_)),
      log_path_(std::move(other.log_path_)) {}

Process& Process::operator=(Process&& other) noexcept {
  if (this != &other) {
    stop();
    pid_ = std::exchange(other.pid_, -1);
    pidfd_ = std::move(other.pidfd_);
    name_ = std::move(other.name_);
    log_path_ = std::move(other.log_path_);
  }
  return *this;
}

Process::~Process() {
  stop();
}

Result<Process> Process::start(const std::vector<std::string>& argv, const Options& options) {
  std::vector<char*> arguments;
  for (const std::string& argument : argv) arguments.push_back(const_cast<char*>(argument.c_str()));
  arguments.push_back(nullptr);
  const pid_t parent = ::getpid();
  const pid_t pid = ::fork();
  if (pid < 0)
    return failure(fmt::format("cannot fork for {}: {}", argv.front(), std::strerror(errno)));
  if (pid == 0) {
    settle(parent, SIGTERM);  // not SIGKILL, so that nginx can stop its own children
    exec(arguments, options);
  }
  return Process(pid, open_pidfd(pid), argv.front(), options.log_path);
}

Result<Process> Process::fork_off(std::string name, const std::function<int()>& body) {
  const pid_t parent = ::getpid();
  const pid_t pid = ::fork();
  if (pid < 0) return failure(fmt::format("cannot fork for {}: {}", name, std::strerror(errno)));
  if (pid == 0) {
    settle(parent, SIGKILL);
    ::_exit(body());
  }
  return Process(pid, open_pidfd(pid), std::move(name), {});
}

bool Process::ended_within(milliseconds limit) const {
  pollfd end{.fd = pidfd_.get(), .events = POLLIN, .revents = 0};
  return ::poll(&end, 1, to_ms(limit)) > 0;
}

Status Process::did_not_start(std::string_view why) const {
  return failure(fmt::format(
      "{} did not start ({}): install it with ./dev setup if it is missing. End of its log: {}",
      name_, why, tail_of(log_path_)));
}

Status Process::wait_readable(int ready_fd, milliseconds limit) const {
  pollfd either[2] = {{.fd = ready_fd, .events = POLLIN, .revents = 0},
                      {.fd = pidfd_.get(), .events = POLLIN, .revents = 0}};
  if (::poll(either, 2, to_ms(limit)) <= 0) {
    return did_not_start(fmt::format("not ready within {} ms", limit.count()));
  }
  if (either[0].revents == 0) return did_not_start("it ended");
  return {};
}

Status Process::wait_listening(const std::string& path, milliseconds limit) const {
  // Most servers do not signal readiness: try to connect, and check for their end in between.
  constexpr milliseconds kStep{5};
  for (milliseconds waited{0}; waited < limit; waited += kStep) {
    if (connect_unix(path)) return {};
    if (ended_within(kStep)) return did_not_start("it ended");
  }
  return did_not_start(fmt::format("no process listens on {} after {} ms", path, limit.count()));
}

void Process::stop() {
  if (pid_ < 0) return;
  ::kill(pid_, SIGTERM);
  if (!ended_within(milliseconds(3000))) ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
  pid_ = -1;
}

std::uint64_t private_memory_kib(pid_t pid) {
  std::ifstream status(fmt::format("/proc/{}/status", pid));
  std::string word;
  std::uint64_t kib = 0;
  while (status >> word) {
    if (word == "RssAnon:") status >> kib;
  }
  return kib;
}

}  // namespace claimsd::bench

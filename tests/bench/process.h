// process.h: the servers that a benchmark starts, each stopped by its own process id when its owner
// goes, whatever happened.
//
// For a single-threaded program: fork_off() runs code in the child. Children die with this process
// even when it is killed (PR_SET_PDEATHSIG, prctl(2)). What a started program prints goes to a log
// file; its end is quoted when it does not start.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <functional>
#include <string>
#include <vector>

#include "daemon/base/fd.h"
#include "daemon/base/result.h"

namespace claimsd::bench {

using daemon::failure;
using daemon::Fd;
using daemon::Result;
using daemon::Status;

class Process {
 public:
  struct Options {
    std::string log_path;                  // standard output and standard error
    std::vector<std::string> environment;  // NAME=VALUE, beside this process' own
  };

  // Starts a program found on the PATH (or at a path).
  static Result<Process> start(const std::vector<std::string>& argv, const Options& options);
  // Runs `body` in a child, which leaves with what it returns.
  static Result<Process> fork_off(std::string name, const std::function<int()>& body);

  ~Process();
  Process(Process&& other) noexcept;
  Process& operator=(Process&& other) noexcept;
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  pid_t pid() const { return pid_; }

  // Waits until `ready_fd` is readable; fails when the process ends before that or `limit` is over.
  Status wait_readable(int ready_fd, std::chrono::milliseconds limit) const;
  // Waits until a Unix socket at `path` accepts; fails likewise.
  Status wait_listening(const std::string& path, std::chrono::milliseconds limit) const;

 private:
  Process(pid_t pid, Fd pidfd, std::string name, std::string log_path);
  bool ended_within(std::chrono::milliseconds limit) const;
  Status did_not_start(std::string_view why) const;
  void stop();

  pid_t pid_ = -1;
  Fd pidfd_;
  std::string name_;
  std::string log_path_;
};

}  // namespace claimsd::bench

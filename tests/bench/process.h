// process.h: the server processes of a benchmark. Each is stopped by its process id when its owner
// is destroyed.
//
// For a single-threaded program, because fork_off() runs code in the child. Children die with this
// process even if it is killed (PR_SET_PDEATHSIG, prctl(2)). The output of a started program goes
// to a log file, whose end is quoted if the start fails.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "daemon/base/fd.h"
#include "daemon/base/result.h"

namespace claimsd::bench {

class Process {
 public:
  struct Options {
    std::string log_path;                  // for standard output and standard error
    std::vector<std::string> environment;  // NAME=VALUE, added to the environment of this process
  };

  // Starts a program, by path or found on the PATH.
  static Result<Process> start(const std::vector<std::string>& argv, const Options& options);
  // Runs `body` in a child, which exits with its result.
  static Result<Process> fork_off(std::string name, const std::function<int()>& body);

  ~Process();
  Process(Process&& other) noexcept;
  Process& operator=(Process&& other) noexcept;
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  pid_t pid() const { return pid_; }

  // Waits until `ready_fd` is readable; fails if the process ends first or after `limit`.
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

// Anonymous memory of a process (RssAnon of proc(5)); 0 if it is unknown. Mapped pages of a file do
// not count, because the kernel can reclaim them.
std::uint64_t private_memory_kib(pid_t pid);

}  // namespace claimsd::bench

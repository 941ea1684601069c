#include "client/claimsctl/check_run.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <spawn.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include <array>
#include <filesystem>

#include "daemon/base/fd.h"

namespace claimsd::claimsctl {
namespace {

constexpr std::size_t kMaxOutput = 256 * 1024;  // output of claimsd beyond this is not read

Problem not_run(const std::string& program, int error) {
  return {Exit::kUnavailable, "no_claimsd",
          fmt::format("cannot run {}: {}", program, strerrordesc_np(error)),
          "install claimsd on this host, or name its binary with --claimsd"};
}

}  // namespace

std::string installed_daemon() {
  std::error_code error;
  const auto self = std::filesystem::read_symlink("/proc/self/exe", error);
  return error ? "/usr/sbin/claimsd"
               : (self.parent_path().parent_path() / "sbin" / "claimsd").string();
}

Expected<CheckRun> run_check(std::vector<std::string> words) {
  const std::string program = words.front();
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) return tl::make_unexpected(not_run(program, errno));
  const Fd out(ends[0]);
  Fd in(ends[1]);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, in.get(), STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, in.get(), STDERR_FILENO);
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  pid_t child = 0;
  const int error =
      posix_spawn(&child, program.c_str(), &actions, nullptr, arguments.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  in.reset();
  if (error != 0) return tl::make_unexpected(not_run(program, error));
  CheckRun ended;
  std::array<char, 4096> part{};
  for (ssize_t got = 0; (got = read(out.get(), part.data(), part.size())) != 0;) {
    if (got < 0 && errno != EINTR) break;
    if (got > 0 && ended.said.size() < kMaxOutput)
      ended.said.append(part.data(), static_cast<std::size_t>(got));
  }
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  ended.code = WIFEXITED(status) ? WEXITSTATUS(status) : EX_SOFTWARE;
  while (ended.said.ends_with('\n')) ended.said.pop_back();
  return ended;
}

}  // namespace claimsd::claimsctl

#include "client/claimsctl/pager.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "client/claimsctl/terminal.h"
#include "daemon/base/fd.h"

namespace claimsd::claimsctl {
namespace {

constexpr char kLess[] = "/usr/bin/less";  // not from $PATH, which the caller sets

bool wanted() {
  const char* const pager = std::getenv("PAGER");
  const std::string_view name = pager == nullptr ? "less" : pager;
  return !name.empty() && name != "cat";
}

// F: exit if everything fits the screen; R: pass colors through; X: leave the output on the screen.
std::vector<std::string> environment() {
  std::vector<std::string> kept = {"LESSSECURE=1", "LESS=FRX"};
  for (const char* const name : {"TERM", "LANG", "LC_ALL", "LC_CTYPE"}) {
    const char* const value = std::getenv(name);
    if (value != nullptr) kept.push_back(std::string(name) + "=" + value);
  }
  return kept;
}

std::vector<char*> pointers_to(std::vector<std::string>& words) {
  std::vector<char*> pointers;
  for (std::string& word : words) pointers.push_back(word.data());
  pointers.push_back(nullptr);
  return pointers;
}

// Returns 0 if the program cannot be run.
pid_t spawn(int input) {
  std::vector<std::string> words = {kLess};
  std::vector<std::string> settings = environment();
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO);
  pid_t process = 0;
  const int error = posix_spawn(&process, kLess, &actions, nullptr, pointers_to(words).data(),
                                pointers_to(settings).data());
  posix_spawn_file_actions_destroy(&actions);
  return error == 0 ? process : 0;
}

}  // namespace

Pager Pager::start() {
  if (!wanted() || !Terminal::available()) return {};
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) return {};
  const Fd input(ends[0]);
  const Fd output(ends[1]);
  const pid_t process = spawn(input.get());
  if (process == 0) return {};
  // Ctrl-C belongs to the pager, which has the terminal.
  signal(SIGINT, SIG_IGN);
  std::fflush(stdout);
  dup2(output.get(), STDOUT_FILENO);
  return Pager(process);
}

Pager::~Pager() {
  if (process_ == 0) return;
  std::fclose(stdout);  // end of file for the pager
  while (waitpid(process_, nullptr, 0) < 0 && errno == EINTR) {
  }
}

Pager::Pager(Pager&& other) noexcept : process_(std::exchange(other.process_, 0)) {}

}  // namespace claimsd::claimsctl

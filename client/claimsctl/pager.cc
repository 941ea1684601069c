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
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "client/claimsctl/terminal.h"
#include "daemon/base/fd.h"

namespace claimsd::claimsctl {
namespace {

std::vector<std::string> program() {
  const char* const wanted = std::getenv("PAGER");
  std::istringstream words(wanted == nullptr ? "less" : wanted);
  std::vector<std::string> split;
  for (std::string word; words >> word;) split.push_back(word);
  if (!split.empty() && split.front() == "cat") split.clear();
  return split;
}

// Returns 0 if the program cannot be run.
pid_t spawn(std::vector<std::string> words, int input) {
  std::vector<char*> arguments;
  for (auto& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO);
  pid_t process = 0;
  const int error =
      posix_spawnp(&process, arguments.front(), &actions, nullptr, arguments.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  return error == 0 ? process : 0;
}

}  // namespace

Pager Pager::start() {
  const auto words = program();
  if (words.empty() || !Terminal::available()) return {};
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) return {};
  const Fd input(ends[0]);
  const Fd output(ends[1]);
  setenv("LESS", "FRX", 0);
  const pid_t process = spawn(words, input.get());
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

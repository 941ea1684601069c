// claimsctl check-config: validates a configuration file. Runs the installed claimsd with --check,
// so that there is only one implementation of the check and it matches the daemon. Unless only the
// syntax is checked, that includes what a start on this host needs.
#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <vector>

#include "client/claimsctl/command.h"
#include "daemon/base/fd.h"
#include "daemon/base/json_writer.h"

namespace claimsd::claimsctl {
namespace {

constexpr std::size_t kMaxOutput = 256 * 1024;  // output of claimsd beyond this is not read

// PREFIX/sbin/claimsd for PREFIX/bin/claimsctl.
std::string installed_daemon() {
  std::error_code error;
  const auto self = std::filesystem::read_symlink("/proc/self/exe", error);
  return error ? "/usr/sbin/claimsd"
               : (self.parent_path().parent_path() / "sbin" / "claimsd").string();
}

struct Ended {
  int code = 0;
  std::string said;  // stdout and stderr together
};

Problem not_run(const std::string& program, int error) {
  return {Exit::kUnavailable, "no_claimsd",
          fmt::format("cannot run {}: {}", program, strerrordesc_np(error)),
          "install claimsd on this host, or name its binary with --claimsd"};
}

Expected<Ended> run_check(std::vector<std::string> words) {
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
  Ended ended;
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

class CheckConfigCommand final : public Command {
 public:
  std::vector<Option> options() override {
    return {
        {.names = "file",
         .target = &file_,
         .help = "The configuration file",
         .value = "FILE",
         .shows_default = true},
        {.names = "--claimsd",
         .target = &program_,
         .help = "The claimsd binary that checks the file; by default the installed one",
         .value = "PATH"},
        {.names = "--syntax-only",
         .target = &syntax_only_,
         .help = "Do not look at files, directories and ports of this host, as on a build machine"},
        {.names = "--user",
         .target = &user_,
         .help = "The user that the daemon runs as; by default claimsd, if root runs the check",
         .value = "NAME",
         .excludes = {"--syntax-only"}},
    };
  }

  Exit run(const Globals&, Output& output) override {
    const std::string program = program_.empty() ? installed_daemon() : program_;
    std::vector<std::string> words = {program, "--check", "--config", file_};
    if (syntax_only_) words.emplace_back("--syntax-only");
    if (!user_.empty()) words.insert(words.end(), {"--user", user_});
    const auto ended = run_check(std::move(words));
    if (!ended) return output.problem(ended.error());
    if (ended->code == EX_CONFIG) {
      return output.problem({Exit::kConfigError, "bad_configuration", ended->said,
                             "correct these errors; the running daemon is not affected"});
    }
    if (ended->code != 0) {
      return output.problem(
          {Exit::kUnavailable, "not_checked",
           fmt::format("{} exited with status {}: {}", program, ended->code, ended->said),
           "name the binary of claimsd with --claimsd"});
    }
    if (!output.json()) {
      output.line(printable(ended->said));
    } else {
      JsonWriter json;
      output.line(json.begin_object()
                      .member("schema", kOutputSchema)
                      .member("valid", true)
                      .member("file", file_)
                      .end_object()
                      .text());
    }
    return Exit::kOkay;
  }

 private:
  std::string file_ = "/etc/claimsd/claimsd.toml";
  std::string program_;
  std::string user_;
  bool syntax_only_ = false;
};

}  // namespace

std::unique_ptr<Command> make_check_config() {
  return std::make_unique<CheckConfigCommand>();
}

}  // namespace claimsd::claimsctl

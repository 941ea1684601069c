// claimsctl check-config: validates a configuration file. Runs the installed claimsd with --check,
// so that there is only one implementation of the check and it matches the daemon.
#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include <array>
#include <filesystem>

#include "client/claimsctl/command.h"
#include "daemon/base/fd.h"
#include "daemon/base/json_writer.h"

namespace claimsd::ctl {
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

Expected<Ended> run_check(const std::string& program, const std::string& file) {
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) return tl::make_unexpected(not_run(program, errno));
  const daemon::Fd out(ends[0]);
  daemon::Fd in(ends[1]);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, in.get(), STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, in.get(), STDERR_FILENO);
  std::array<std::string, 4> words = {program, "--check", "--config", file};
  std::array<char*, 5> arguments = {words[0].data(), words[1].data(), words[2].data(),
                                    words[3].data(), nullptr};
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
    };
  }

  Exit run(const Globals&, Output& output) override {
    const std::string program = program_.empty() ? installed_daemon() : program_;
    const auto ended = run_check(program, file_);
    if (!ended) return output.problem(ended.error());
    if (ended->code == EX_CONFIG) {
      return output.problem({Exit::kConfigured, "bad_configuration", ended->said,
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
      daemon::JsonWriter json;
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
};

}  // namespace

std::unique_ptr<Command> make_check_config() {
  return std::make_unique<CheckConfigCommand>();
}

}  // namespace claimsd::ctl

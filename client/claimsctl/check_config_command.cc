// claimsctl check-config: validates a configuration file. Unless only the syntax is checked, that
// includes what a start on this host needs.
#include <fmt/core.h>
#include <sysexits.h>

#include <vector>

#include "client/claimsctl/check_run.h"
#include "client/claimsctl/command.h"
#include "daemon/base/json_writer.h"

namespace claimsd::claimsctl {
namespace {

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

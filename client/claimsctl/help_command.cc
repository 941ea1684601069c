// claimsctl help: prints the help of claimsctl, a command or a subcommand, like --help.
#include "client/claimsctl/command.h"
#include "client/claimsctl/command_line.h"

namespace claimsd::claimsctl {
namespace {

class HelpCommand final : public Command {
 public:
  std::vector<Option> options() override {
    return {{.names = "command",
             .target = &words_,
             .help = "A command, and its subcommand",
             .value = "COMMAND"}};
  }

  Exit run(const Globals& /*globals*/, Output& output) override {
    const CommandLine line;  // the running one has consumed its arguments
    const auto text = line.help(words_);
    if (!text) return output.problem(text.error());
    output.line(text->substr(0, text->find_last_not_of('\n') + 1));
    return Exit::kOkay;
  }

 private:
  std::vector<std::string> words_;
};

}  // namespace

std::unique_ptr<Command> make_help() {
  return std::make_unique<HelpCommand>();
}

}  // namespace claimsd::claimsctl

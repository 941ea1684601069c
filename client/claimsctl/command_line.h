// command_line.h: the command line of claimsctl: parses it into the options of the commands, and is
// what the manual and the completions are made from. The parser itself (CLI11) is seen by
// command_line.cc alone: it takes seconds to compile. One thread.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "client/claimsctl/command.h"

namespace CLI {
class App;
class ParseError;
}  // namespace CLI

namespace claimsd::ctl {

class CommandLine {
 public:
  CommandLine();
  ~CommandLine();
  CommandLine(const CommandLine&) = delete;
  CommandLine& operator=(const CommandLine&) = delete;

  // None where chosen() is to be run. Otherwise all has been printed, help or what is wrong with
  // the usage, and this is the exit status.
  std::optional<int> parse(int argc, char** argv);
  const Globals& globals() const { return globals_; }
  // The command that was parsed.
  Command& chosen() const;

  const CLI::App& app() const { return *app_; }

 private:
  void add_globals();
  void add_commands();
  Problem usage_problem(const CLI::ParseError& error, int argc, char** argv) const;

  struct Named {
    CLI::App* app;
    std::unique_ptr<Command> command;
    std::vector<Option> options;
    std::vector<Subcommand> subcommands;
  };
  std::unique_ptr<CLI::App> app_;
  Globals globals_;
  std::vector<Named> commands_;
};

}  // namespace claimsd::ctl

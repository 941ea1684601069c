// command_line.h: the parser with all options and commands. The manual and the completions are
// generated from it. Only command_line.cc includes CLI11, which takes seconds to compile.
// Single-threaded.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "client/claimsctl/command.h"

namespace CLI {  // NOLINT(readability-identifier-naming): the name is CLI11's
class App;
class ParseError;
}  // namespace CLI

namespace claimsd::claimsctl {

// Neither copyable nor movable, because the options are bound to its members.
class CommandLine {
 public:
  CommandLine();
  ~CommandLine();
  CommandLine(const CommandLine&) = delete;
  CommandLine& operator=(const CommandLine&) = delete;

  // nullopt if chosen() can run. Otherwise help or an error was printed, and the value is the exit
  // status.
  std::optional<int> parse(int argc, char** argv);
  const Globals& globals() const { return globals_; }
  // The parsed command. Requires a successful parse().
  Command& chosen() const;
  // The help of a command, and of its subcommand if `words` names one; of claimsctl if empty.
  Expected<std::string> help(const std::vector<std::string>& words) const;

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

}  // namespace claimsd::claimsctl

// command_line.h: all options and commands of claimsctl, ready to parse; also what the manual and
// the completions are made from. One thread.
#pragma once

#include <CLI/CLI.hpp>
#include <memory>
#include <vector>

#include "client/claimsctl/command.h"

namespace claimsd::ctl {

// Stays where it is made: the options are bound to members.
class CommandLine {
 public:
  CommandLine();
  ~CommandLine() = default;
  CommandLine(const CommandLine&) = delete;
  CommandLine& operator=(const CommandLine&) = delete;

  CLI::App& app() { return app_; }
  const Globals& globals() const { return globals_; }
  // The command that was parsed, or nullptr.
  Command* chosen() const;

 private:
  void add_globals();
  void add_commands();

  struct Named {
    CLI::App* app;
    std::unique_ptr<Command> command;
  };
  CLI::App app_;
  Globals globals_;
  std::vector<Named> commands_;
};

}  // namespace claimsd::ctl

// command_line.h: the CLI11 parser with all options and commands. The manual and the completions
// are generated from it. Single-threaded.
#pragma once

#include <CLI/CLI.hpp>
#include <memory>
#include <vector>

#include "client/claimsctl/command.h"

namespace claimsd::ctl {

// Neither copyable nor movable, because the options are bound to its members.
class CommandLine {
 public:
  CommandLine();
  ~CommandLine() = default;
  CommandLine(const CommandLine&) = delete;
  CommandLine& operator=(const CommandLine&) = delete;

  CLI::App& app() { return app_; }
  const Globals& globals() const { return globals_; }
  // The parsed command, or nullptr if there is none.
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

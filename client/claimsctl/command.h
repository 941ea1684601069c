// command.h: the interface of a claimsctl command. Help, dispatch and documentation come from the
// table in commands.cc; a new command is one file plus one row there. Single-threaded; objects live
// for one run.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "client/claimsctl/option.h"
#include "client/claimsctl/output.h"

namespace claimsd::claimsctl {

// Options that every command accepts, before or after its name.
struct Globals {
  std::string socket = "/run/claimsd/claims.sock";
  std::string admin_socket = "/run/claimsd-admin/admin.sock";
  bool json = false;
};

// One command with its parsed options.
class Command {
 public:
  virtual ~Command() = default;
  // Called once, before parsing. The targets are members of the command.
  virtual std::vector<Option> options() { return {}; }
  // If the command has subcommands, one of them is required.
  virtual std::vector<Subcommand> subcommands() { return {}; }
  // True if the output ends by itself and may be longer than a screen; it then goes through a
  // pager. Called after parsing.
  virtual bool is_long() const { return false; }
  virtual Exit run(const Globals& globals, Output& output) = 0;
};

struct CommandRow {
  std::string_view name;
  std::string_view synopsis;  // what follows the name
  std::string_view help;      // one line
  std::unique_ptr<Command> (*make)();
};

std::span<const CommandRow> commands();

std::unique_ptr<Command> make_query();
std::unique_ptr<Command> make_status();
std::unique_ptr<Command> make_ping();
std::unique_ptr<Command> make_purge();
std::unique_ptr<Command> make_revoke();
std::unique_ptr<Command> make_revocations();
std::unique_ptr<Command> make_unrevoke();
std::unique_ptr<Command> make_top();
std::unique_ptr<Command> make_statistics();
std::unique_ptr<Command> make_entries();
std::unique_ptr<Command> make_show();
std::unique_ptr<Command> make_monitor();
std::unique_ptr<Command> make_metrics();
std::unique_ptr<Command> make_fleet();
std::unique_ptr<Command> make_config();
std::unique_ptr<Command> make_check_config();
std::unique_ptr<Command> make_reload();
std::unique_ptr<Command> make_retry();
std::unique_ptr<Command> make_log_level();
std::unique_ptr<Command> make_audit();
std::unique_ptr<Command> make_doctor();
std::unique_ptr<Command> make_test_upstream();
std::unique_ptr<Command> make_help();

}  // namespace claimsd::claimsctl

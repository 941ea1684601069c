// process.h: what the process does, from its command line to its exit status (sysexits.h). Each is
// called once, on the main thread.
#pragma once

#include <string>

namespace claimsd::daemon {

inline constexpr const char* kDefaultConfig = "/etc/claimsd/claimsd.toml";

struct CommandLine {
  std::string config_file = kDefaultConfig;
  bool check = false;
  bool syntax_only = false;  // with check
  std::string user;          // with check: as whom the daemon runs; "": see user_to_check()
  std::string accept_revocations;
};

// Checks the configuration and what a start needs; prints the faults.
int check(const CommandLine& command_line);

// Reads the configuration, creates the Daemon and runs it until a stop signal.
int run(const CommandLine& command_line);

}  // namespace claimsd::daemon

// main(): parses the command line. CLI11 is slow to compile, so nothing else is in this file.
#include <sysexits.h>

#include <CLI/CLI.hpp>
#include <cstdlib>

#include "daemon/process.h"
#include "daemon/version.h"

int main(int argc, char** argv) {
  claimsd::daemon::CommandLine command_line;
  CLI::App app("claimsd: verifies bearer tokens at the Auth API for all workers on this host",
               "claimsd");
  app.add_option("--config", command_line.config_file, "Configuration file")->capture_default_str();
  app.add_flag("--check", command_line.check,
               "Check the configuration and what a start needs, and exit: 0 if all is valid, 78 "
               "if not");
  app.add_flag("--syntax-only", command_line.syntax_only,
               "With --check: do not look at files, directories and ports of this host")
      ->needs("--check");
  app.add_option("--user", command_line.user,
                 "With --check: the user that the daemon runs as; by default claimsd, if root runs "
                 "the check and that user exists")
      ->type_name("NAME")
      ->needs("--check");
  app.add_option("--accept-revocations", command_line.accept_revocations,
                 "Start with a set of revocations that is older than it was: the digest that the "
                 "refused start printed")
      ->type_name("DIGEST");
  app.set_version_flag("--version", std::string("claimsd ") + claimsd::daemon::kVersion);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    const int code = app.exit(error);  // prints help, version or the error
    return code == 0 ? EXIT_SUCCESS : EX_USAGE;
  }
  return command_line.check ? claimsd::daemon::check(command_line)
                            : claimsd::daemon::run(command_line);
}

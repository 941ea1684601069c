// claimsctl: the command line of claimsd. Parses, finds the command in the table, runs it.
#include <fmt/format.h>

#include <cstdlib>

#include "client/claimsctl/command.h"
#include "client/claimsctl/help.h"
#include "client/claimsctl/usage.h"

namespace {

using claimsd::ctl::Command;
using claimsd::ctl::Exit;
using claimsd::ctl::Globals;
using claimsd::ctl::Output;

void add_globals(CLI::App& app, Globals& globals) {
  app.add_option("--socket", globals.socket, "The daemon's claims socket")
      ->envname("CLAIMSD_SOCKET")
      ->type_name("PATH")
      ->capture_default_str();
  app.add_option("--admin-socket", globals.admin_socket, "The daemon's admin socket")
      ->envname("CLAIMSD_ADMIN_SOCKET")
      ->type_name("PATH")
      ->capture_default_str();
  app.add_flag("--json", globals.json, "Print one JSON object a line, for programs")
      ->disable_flag_override();
  app.set_version_flag("--version", "claimsctl " CLAIMSD_VERSION, "Print the version");
  app.set_help_flag("-h,--help", "Print this");
  app.formatter(std::make_shared<claimsd::ctl::HelpFormatter>());
  app.footer(claimsd::ctl::exit_codes_text());
}

struct Chosen {
  CLI::App* app;
  std::unique_ptr<Command> command;
};

std::vector<Chosen> add_commands(CLI::App& app) {
  std::vector<Chosen> all;
  for (const auto& row : claimsd::ctl::commands()) {
    auto* const sub = app.add_subcommand(std::string(row.name), std::string(row.help));
    // Global options may also follow the command.
    sub->fallthrough()->group("Commands")->set_help_flag("-h,--help", "Print this");
    all.push_back({sub, row.make()});
    all.back().command->add_options(*sub);
  }
  app.require_subcommand(1);
  return all;
}

int status_of(Exit exit) {
  return static_cast<int>(exit);
}

int run(int argc, char** argv) {
  CLI::App app("Asks and looks after claimsd, which tells workers whose token it is.", "claimsctl");
  Globals globals;
  add_globals(app, globals);
  const auto all = add_commands(app);
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& wanted) {  // --help, --version
    return app.exit(wanted);
  } catch (const CLI::ParseError& error) {
    const std::vector<std::string> words(argv + 1, argv + argc);
    return status_of(Output(false).problem(claimsd::ctl::usage_problem(error, app, words)));
  }
  Output output(globals.json);
  for (const auto& [sub, command] : all) {
    if (sub->parsed()) return status_of(command->run(globals, output));
  }
  return status_of(Exit::kUsage);
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run(argc, argv);
  } catch (const std::exception& error) {
    fmt::print(stderr, "claimsctl: {}\n", error.what());
    return status_of(Exit::kUnavailable);
  }
}

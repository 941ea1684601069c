#include "client/claimsctl/command_line.h"

#include "client/claimsctl/help.h"

namespace claimsd::ctl {

CommandLine::CommandLine()
    : app_("Asks and looks after claimsd, which tells workers whose token it is.", "claimsctl") {
  add_globals();
  add_commands();
}

void CommandLine::add_globals() {
  app_.add_option("--socket", globals_.socket, "The daemon's claims socket")
      ->envname("CLAIMSD_SOCKET")
      ->type_name("PATH")
      ->capture_default_str();
  app_.add_option("--admin-socket", globals_.admin_socket, "The daemon's admin socket")
      ->envname("CLAIMSD_ADMIN_SOCKET")
      ->type_name("PATH")
      ->capture_default_str();
  app_.add_flag("--json", globals_.json, "Print one JSON object a line, for programs")
      ->disable_flag_override();
  app_.set_version_flag("--version", "claimsctl " CLAIMSD_VERSION, "Print the version");
  app_.set_help_flag("-h,--help", "Print this");
  app_.formatter(std::make_shared<HelpFormatter>());
  app_.footer(exit_codes_text());
}

void CommandLine::add_commands() {
  for (const auto& row : commands()) {
    auto* const sub = app_.add_subcommand(std::string(row.name), std::string(row.help));
    // Global options may also follow the command.
    sub->fallthrough()->group("Commands")->set_help_flag("-h,--help", "Print this");
    commands_.push_back({sub, row.make()});
    commands_.back().command->add_options(*sub);
  }
  app_.require_subcommand(1);
}

Command* CommandLine::chosen() const {
  for (const auto& [app, command] : commands_) {
    if (app->parsed()) return command.get();
  }
  return nullptr;
}

}  // namespace claimsd::ctl

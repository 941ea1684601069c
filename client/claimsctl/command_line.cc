#include "client/claimsctl/command_line.h"

#include <fmt/core.h>

#include <CLI/CLI.hpp>
#include <type_traits>

#include "client/claimsctl/usage.h"

namespace claimsd::claimsctl {
namespace {

// CLI11's layout with the synopses of the table of commands: "Usage: claimsctl query [OPTIONS] <
// TOKEN".
class HelpFormatter final : public CLI::Formatter {
 public:
  HelpFormatter() { column_width(26); }

  std::string make_usage(const CLI::App* app, std::string name) const override {
    for (const auto& row : commands()) {
      if (row.name == app->get_name()) {
        return fmt::format(
            "Usage: claimsctl {} {}\nThe options of claimsctl --help are accepted as well.\n",
            row.name, row.synopsis);
      }
    }
    return fmt::format(
        "Usage: {} [OPTIONS] COMMAND\nFor help on a command: claimsctl help COMMAND\n", name);
  }
};

// What stands at the end of every help.
std::string exit_codes_text() {
  std::string text = "Exit status:\n";
  each_exit([&](int status, std::string_view meaning) {
    text += fmt::format("  {:<4}{}\n", status, meaning);
  });
  return text;
}

CLI::Option* add(CLI::App& app, const Option& row) {
  return std::visit(
      [&](auto* target) {
        if constexpr (std::is_same_v<decltype(target), bool*>) {
          return app.add_flag(row.names, *target, row.help)->disable_flag_override();
        } else {
          return app.add_option(row.names, *target, row.help)->type_name(row.value);
        }
      },
      row.target);
}

bool takes_text(const Option& row) {
  return std::holds_alternative<std::string*>(row.target) ||
         std::holds_alternative<std::vector<std::string>*>(row.target);
}

// An empty text is usually an unset variable of a script. As a value it would mean "not given", and
// `revoke --user "$ID"` would read a token instead.
std::string check_not_empty(const std::string& text) {
  return text.empty() ? "must not be empty" : "";
}

void add(CLI::App& app, const std::vector<Option>& rows) {
  std::vector<CLI::Option*> added;
  for (const Option& row : rows) {
    CLI::Option* const option = added.emplace_back(add(app, row));
    if (takes_text(row)) option->check(CLI::Validator(check_not_empty, ""));
    if (row.check) option->check(CLI::Validator(row.check, ""));
    option->required(row.required);
    if (row.shows_default) option->capture_default_str();
  }
  // They may name options of later rows.
  for (std::size_t at = 0; at < rows.size(); ++at) {
    for (const auto& other : rows[at].excludes) added[at]->excludes(app.get_option(other));
    if (!rows[at].needs.empty()) added[at]->needs(app.get_option(rows[at].needs));
  }
}

CLI::App* add_command(CLI::App& app, std::string_view name, std::string_view help) {
  CLI::App* const command = app.add_subcommand(std::string(name), std::string(help));
  // Global options may also follow the command.
  command->fallthrough()->group("Commands")->set_help_flag("-h,--help", "Print this help");
  return command;
}

// The innermost parsed command.
const CLI::App& innermost(const CLI::App& app) {
  const auto parsed = app.get_subcommands();
  return parsed.empty() ? app : innermost(*parsed.front());
}

// "audit search"; "" for claimsctl itself.
std::string name_of(const CLI::App& app) {
  if (app.get_parent() == nullptr) return "";
  const std::string before = name_of(*app.get_parent());
  return before.empty() ? app.get_name() : before + " " + app.get_name();
}

std::vector<std::string> names_of_commands(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::App* command : app.get_subcommands({})) names.push_back(command->get_name());
  return names;
}

// With the options of the commands around it.
std::vector<std::string> names_of_options(const CLI::App& app) {
  std::vector<std::string> names;
  if (app.get_parent() != nullptr) names = names_of_options(*app.get_parent());
  for (const CLI::Option* option : app.get_options()) {
    for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
  }
  return names;
}

void take_given(const CLI::App& app, const std::vector<Option>& rows) {
  for (const Option& row : rows) {
    if (row.given != nullptr) *row.given = app.count(row.names) > 0;
  }
}

}  // namespace

CommandLine::CommandLine()
    : app_(std::make_unique<CLI::App>("Queries and manages the claimsd daemon.", "claimsctl")) {
  add_globals();
  add_commands();
}

CommandLine::~CommandLine() = default;

void CommandLine::add_globals() {
  app_->add_option("--socket", globals_.socket, "The daemon's claims socket")
      ->envname("CLAIMSD_SOCKET")
      ->type_name("PATH")
      ->capture_default_str();
  app_->add_option("--admin-socket", globals_.admin_socket, "The daemon's admin socket")
      ->envname("CLAIMSD_ADMIN_SOCKET")
      ->type_name("PATH")
      ->capture_default_str();
  app_->add_flag("--json", globals_.json, "Print one JSON object per line, for programs")
      ->disable_flag_override();
  app_->set_version_flag("--version", "claimsctl " CLAIMSD_VERSION, "Print the version");
  app_->set_help_flag("-h,--help", "Print this help");
  app_->formatter(std::make_shared<HelpFormatter>());
  app_->footer(exit_codes_text());
}

void CommandLine::add_commands() {
  for (const auto& row : commands()) {
    CLI::App* const app = add_command(*app_, row.name, row.help);
    auto command = row.make();
    Named& named =
        commands_.emplace_back(Named{app, nullptr, command->options(), command->subcommands()});
    named.command = std::move(command);
    add(*app, named.options);
    for (const Subcommand& sub : named.subcommands) {
      add(*add_command(*app, sub.name, sub.help), sub.options);
    }
    if (!named.subcommands.empty()) app->require_subcommand(1);
  }
  app_->require_subcommand(1);
}

std::optional<int> CommandLine::parse(int argc, char** argv) {
  try {
    app_->parse(argc, argv);
  } catch (const CLI::Success& wanted) {  // --help, --version
    return app_->exit(wanted);
  } catch (const CLI::ParseError& error) {
    return static_cast<int>(Output(false).problem(usage_problem(error, argc, argv)));
  }
  for (const auto& [app, command, options, subcommands] : commands_) {
    take_given(*app, options);
    for (const Subcommand& sub : subcommands) {
      const CLI::App& sub_app = *app->get_subcommand(sub.name);
      *sub.chosen = sub_app.parsed();
      take_given(sub_app, sub.options);
    }
  }
  return std::nullopt;
}

Problem CommandLine::usage_problem(const CLI::ParseError& error, int argc, char** argv) const {
  const CLI::App& app = innermost(*app_);
  const auto extras = app_->remaining(true);
  const std::string extra = extras.empty() ? "" : extras.front();
  const auto code = static_cast<CLI::ExitCodes>(error.get_exit_code());
  return claimsctl::usage_problem(
      {.command = name_of(app),
       .extra = extra,
       .known = extra.starts_with('-') ? names_of_options(app) : names_of_commands(app),
       .incomplete = code == CLI::ExitCodes::RequiredError || code == CLI::ExitCodes::ExtrasError,
       .message = error.what()},
      {argv + 1, argv + argc});
}

Expected<std::string> CommandLine::help(const std::vector<std::string>& words) const {
  const CLI::App* app = app_.get();
  for (const std::string& word : words) {
    const auto commands = app->get_subcommands({});
    const auto found =
        std::find_if(commands.begin(), commands.end(),
                     [&word](const CLI::App* command) { return command->get_name() == word; });
    if (found == commands.end()) {
      return tl::make_unexpected(claimsctl::usage_problem({.command = name_of(*app),
                                                           .extra = word,
                                                           .known = names_of_commands(*app),
                                                           .incomplete = true,
                                                           .message = ""},
                                                          words));
    }
    app = *found;
  }
  const std::string before = app->get_parent() == nullptr ? "" : name_of(*app->get_parent());
  return app->help(before.empty() ? (app == app_.get() ? "" : "claimsctl") : "claimsctl " + before);
}

Command& CommandLine::chosen() const {
  const auto found = std::find_if(commands_.begin(), commands_.end(),
                                  [](const Named& named) { return named.app->parsed(); });
  return *found->command;  // the parser requires one
}

}  // namespace claimsd::claimsctl

#include "client/claimsctl/help.h"

#include <fmt/core.h>

#include "client/claimsctl/command.h"

namespace claimsd::ctl {

HelpFormatter::HelpFormatter() {
  column_width(26);
}

std::string HelpFormatter::make_usage(const CLI::App* app, std::string name) const {
  for (const auto& row : commands()) {
    if (row.name == app->get_name()) {
      return fmt::format(
          "Usage: claimsctl {} {}\nThe options of claimsctl --help may follow as well.\n", row.name,
          row.synopsis);
    }
  }
  return fmt::format("Usage: {} [OPTIONS] COMMAND\n{} COMMAND --help tells more.\n", name, name);
}

std::string exit_codes_text() {
  std::string text = "Exit status:\n";
  each_exit([&](int status, std::string_view meaning) {
    text += fmt::format("  {:<4}{}\n", status, meaning);
  });
  return text;
}

}  // namespace claimsd::ctl

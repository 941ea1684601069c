#include "client/claimsctl/confirm.h"

#include <fmt/core.h>
#include <unistd.h>

#include <iostream>
#include <string>

namespace claimsd::claimsctl {

Expected<void> confirm(std::string_view consequence) {
  if (::isatty(STDIN_FILENO) != 1) {
    return tl::make_unexpected(
        Problem{Exit::kUsage, "not_confirmed",
                fmt::format("{}: this needs a confirmation, and there is no terminal", consequence),
                "in a script, add --yes"});
  }
  fmt::print(stderr, "{}. Type yes to continue: ", consequence);
  std::string answer;
  std::getline(std::cin, answer);
  if (answer == "yes") return {};
  return tl::make_unexpected(
      Problem{Exit::kUsage, "not_confirmed", "not confirmed: nothing has changed", ""});
}

}  // namespace claimsd::claimsctl

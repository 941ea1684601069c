// help.h: the layout of --help: CLI11's, with the synopses from the table of commands and the exit
// statuses. Pure.
#pragma once

#include <CLI/CLI.hpp>
#include <string>

namespace claimsd::ctl {

class HelpFormatter final : public CLI::Formatter {
 public:
  HelpFormatter();
  // "Usage: claimsctl query [OPTIONS] < TOKEN".
  std::string make_usage(const CLI::App* app, std::string name) const override;
};

// The list of exit statuses at the end of each help text.
std::string exit_codes_text();

}  // namespace claimsd::ctl

// help.h: how --help looks: CLI11's layout with the synopses of the table of commands and the exit
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

// What stands at the end of every help.
std::string exit_codes_text();

}  // namespace claimsd::ctl

// option.h: the options of a command, as data. command_line.cc binds them to the parser. Targets
// live as long as the command.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <variant>
#include <vector>

namespace claimsd::claimsctl {

// Returns "" for a valid value, otherwise what the value must be. Must not repeat the input, which may
// be a token.
using OptionCheck = std::function<std::string(const std::string& text)>;

struct Option {
  std::string names;  // "--user", "-n,--lines", or "file" for a positional argument
  // A bool is a flag, a vector a repeatable option. Holds the default until parsing.
  std::variant<bool*, std::string*, std::vector<std::string>*, std::uint32_t*, std::uint64_t*>
      target;
  std::string help;
  std::string value = {};      // the placeholder in the help: "FILE"
  bool shows_default = false;  // in the help
  bool required = false;
  OptionCheck check = {};
  std::vector<std::string> excludes = {};  // names of options
  std::string needs = {};                  // the name of an option
  bool* given = nullptr;                   // set by parsing, if not null
};

// For example `claimsctl audit search`.
struct Subcommand {
  std::string name;
  std::string help;  // one line
  std::vector<Option> options;
  bool* chosen;  // set by parsing
};

// Accepts a whole number of milliseconds, up to the largest value of the wire protocol.
std::string check_milliseconds(const std::string& text);
// For counts: accepts a whole number of at most nine digits.
std::string check_count(const std::string& text);
// For the NAME of a table [upstream.NAME].
std::string check_upstream_name(const std::string& text);

}  // namespace claimsd::claimsctl

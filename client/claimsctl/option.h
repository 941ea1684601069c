// option.h: the options of a command, as data. command_line.cc gives them to the parser; the manual
// and the completions are made from the same rows. Targets live as long as the command.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <variant>
#include <vector>

namespace claimsd::ctl {

// "" when the text may be a value, otherwise what a value must be, without repeating the text.
using OptionCheck = std::function<std::string(const std::string& text)>;

struct Option {
  std::string names;  // "--user", "-n,--lines", or "file": an argument without a name
  // A bool is a flag; a vector takes the option several times. Holds the default before parsing.
  std::variant<bool*, std::string*, std::vector<std::string>*, std::uint32_t*, std::uint64_t*>
      target;
  std::string help;
  std::string value = {};      // what stands for the value in the help: "FILE"
  bool shows_default = false;  // the help ends with the target's value
  OptionCheck check = {};
  std::vector<std::string> excludes = {};  // names of options that cannot be given as well
  std::string needs = {};                  // the name of an option without which it means nothing
  bool* given = nullptr;                   // set after parsing
};

// A command of a command, such as `claimsctl audit search`.
struct Subcommand {
  std::string name;
  std::string help;  // one line
  std::vector<Option> options;
  bool* chosen;  // set after parsing
};

// A whole number of milliseconds up to what the wire carries.
std::string check_milliseconds(const std::string& text);
// For an option that counts: a whole number of at most nine digits.
std::string check_count(const std::string& text);

}  // namespace claimsd::ctl

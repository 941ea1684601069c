// options.h: the one table of options. A row says what may be set, what it means, what is allowed
// and where the value goes.
//
// Parsing, range checks, defaults, `--check`, the documentation and `claimsctl config` all come
// from these rows; adding an option is adding a row (options.cc) and a member (config.h). Constant
// data, any thread.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/config/config.h"

namespace claimsd::daemon {

enum class OptionType : std::uint8_t {
  kBoolean,   // true or false
  kInteger,   // min..max
  kSize,      // bytes: 262144 or "256KiB", min..max
  kDuration,  // "500ms" "5s" "2m" "1h"; min..max in milliseconds
  kMode,      // permission bits as an octal string: "0660"
  kString,    // min..max bytes, no control characters
  kPath,      // absolute; min..max bytes, min 0: may be empty
  kUrlPath,   // begins with a slash; min..max bytes
  kUrl,       // an upstream (url.h); empty: not set
  kUrls,      // several of them
  kProxy,     // a proxy's URL; empty: none
  kEnum,      // one of `allowed`
  kIntegers,  // a list of integers, each min..max
};

// What a conversion yields; which member counts is a matter of the type.
struct Value {
  bool boolean = false;
  std::int64_t number = 0;  // integer, bytes, milliseconds, mode, or the index into `allowed`
  std::string text;
  std::vector<std::int64_t> numbers;
  std::vector<std::string> texts;
};

enum class Reload : bool { kNo, kYes };
enum class Show : bool { kNo, kYes };  // kNo: a password may be in it, so messages never repeat it

struct Option {
  std::string_view path;  // "daemon.socket"; for the rows of an upstream the key alone
  OptionType type;
  std::string_view fallback;  // the default, as it would stand in the file
  std::int64_t min;
  std::int64_t max;
  std::string_view allowed;  // kEnum: "debug|info"
  Reload reload;
  Show show;
  std::string_view help;
};

template <class Target>
struct Row {
  Option option;
  void (*assign)(Target& target, const Value& value);
};

std::span<const Row<Config>> option_rows();
std::span<const Row<UpstreamConfig>> upstream_rows();  // once for each [upstream.NAME]

// The same as tables of Markdown, one for each section: what README.md shows.
std::string options_markdown();

// "1 to 65536", "\"1s\" to \"5m\"", "debug, info or error": what a message and the documentation
// say is allowed.
std::string describe_allowed(const Option& option);

}  // namespace claimsd::daemon

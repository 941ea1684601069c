// options.h: the table of options. A row defines an option's type, default, range, help text and
// where its value goes. Constant data; any thread.
//
// Parsing, range checks, defaults, `--check`, the documentation and `claimsctl config` use these
// rows. To add an option, add a row (options.cc) and a member (config.h).
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/base/claim_path.h"
#include "daemon/config/config.h"

namespace claimsd::config {

enum class OptionType : std::uint8_t {
  kBoolean,     // true or false
  kInteger,     // min..max
  kSize,        // bytes: 262144 or "256KiB", min..max
  kDuration,    // "500ms" "5s" "2m" "1h"; min..max in milliseconds
  kMode,        // permission bits as an octal string: "0660"
  kString,      // min..max bytes, no control characters
  kPath,        // absolute; min..max bytes, min 0: may be empty
  kUrlPath,     // begins with a slash; min..max bytes
  kUrl,         // an upstream (url.h); empty: not set
  kUrls,        // several of them
  kProxy,       // a proxy's URL; empty: none
  kEnum,        // one of `allowed`
  kIntegers,    // a list of integers, each min..max
  kClaim,       // a member's name or a JSON Pointer (claim_path.h); min..max bytes
  kRoleClaims,  // a list of those, or of tables {at = CLAIM, form = FORM}; at most max
  kRequired,    // a table: CLAIM = a boolean, number or string; at most max members
  kStrings,     // a list of strings, each min..max bytes, no control characters
};

// The result of a conversion; the option's type determines which member is set.
struct Value {
  bool boolean = false;
  std::int64_t number = 0;  // integer, bytes, milliseconds, mode, or the index into `allowed`
  std::string text;
  std::vector<std::int64_t> numbers;
  std::vector<std::string> texts;
  ClaimPath claim;
  std::vector<RoleClaim> role_claims;
  std::vector<RequiredClaim> required;
};

enum class Reload : bool { kNo, kYes };
// kNo: an invalid value may contain a password, so messages about it do not show it.
enum class Show : bool { kNo, kYes };

struct Option {
  std::string_view path;  // "daemon.socket"; for an upstream's row only the key
  OptionType type;
  std::string_view fallback;  // the default, as written in a file
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
std::span<const Row<UpstreamConfig>> upstream_rows();  // once per [upstream.NAME]
std::span<const Row<GateConfig>> gate_rows();          // once per [http.gate.NAME]

// The rows as Markdown tables, one per section, for OPTIONS.md.
std::string options_markdown();

// The allowed values for messages and documentation: "1 to 65536", "\"1s\" to \"5m\"", "debug, info
// or error".
std::string describe_allowed(const Option& option);

}  // namespace claimsd::config

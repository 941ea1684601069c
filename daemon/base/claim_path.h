// claim_path.h: how options name members of a JSON document, and which values they require there.
// Pure; any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "daemon/base/result.h"

namespace claimsd {

// Text that begins with "/" is a JSON Pointer (RFC 6901); any other text is the name of a top-level
// member, dots and slashes included.
struct ClaimPath {
  std::string text;                // as written
  std::vector<std::string> steps;  // at least one, escapes decoded

  // The error is the text after the option's name.
  static Result<ClaimPath> parse(std::string_view text);
  // A top-level member, whatever its name.
  static ClaimPath member(std::string_view name);

  bool is_top_level() const { return steps.size() == 1; }
  friend bool operator==(const ClaimPath&, const ClaimPath&) = default;
};

// How a member holds roles.
enum class RoleForm : std::uint8_t {
  kList,   // a string that is one role, or an array of strings
  kWords,  // a string of words
  kKeys,   // an object whose member names are the roles
};

struct RoleClaim {
  ClaimPath at;
  RoleForm form = RoleForm::kList;
  friend bool operator==(const RoleClaim&, const RoleClaim&) = default;
};

// A member that must have this value, or be an array that contains it.
struct RequiredClaim {
  ClaimPath at;
  std::variant<bool, std::int64_t, double, std::string> value;
  friend bool operator==(const RequiredClaim&, const RequiredClaim&) = default;
};

}  // namespace claimsd

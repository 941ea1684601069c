// convert_claims.h: converts the options that name claims. Errors are those of convert(). Pure; any
// thread.
#pragma once

#include <string>

#include "daemon/base/result.h"
#include "daemon/config/options.h"
#include "daemon/config/toml_reader.h"

namespace claimsd::config {

inline constexpr std::size_t kMaxShown = 80;  // bytes of a found value that a message repeats

Result<Value> convert_claim(const Option& option, const Node& node);
Result<Value> convert_role_claims(const Option& option, const Node& node);
Result<Value> convert_required(const Option& option, const Node& node);

// Equal for equal claims, roles and requirements of `value`. One line for each.
std::string exact_claims(const Value& value);

// The same for one requirement.
std::string exact(const RequiredClaim& required);

// A form's name: "list", "words" or "keys".
std::string_view name_of(RoleForm form);

}  // namespace claimsd::config

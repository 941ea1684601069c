// identity.h: the headers that tell an application who the user is. Pure; any thread.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "proto/claims_block.h"

namespace claimsd::front_door {

inline constexpr std::string_view kIdHeader = "X-Claims-Id";
inline constexpr std::string_view kEmailHeader = "X-Claims-Email";
inline constexpr std::string_view kRolesHeader = "X-Claims-Roles";
inline constexpr std::string_view kTruncatedHeader = "X-Claims-Truncated";
// Of all values together. nginx answers 500 to a response whose headers exceed its buffer of 4 KiB.
inline constexpr std::size_t kMaxIdentityBytes = 3 * 1024;

// Everything except unreserved characters (RFC 3986, section 2.3), `@` and `:` is percent-encoded.
// So a value contains no comma, quote, space or byte above 127.
std::string percent_encoded(std::string_view text);

// All four headers, in this order, even if a value is empty: a proxy that copies a missing header
// passes on its client's. X-Claims-Roles is separated by commas. Roles that do not fit are left out,
// from the end of the list, and X-Claims-Truncated is then "1", otherwise "0". An email address
// that does not fit is left out as well.
std::vector<std::pair<std::string, std::string>> identity_headers(const proto::ClaimsView& claims);

}  // namespace claimsd::front_door

// jwt_scan.h: finds top-level members in JSON that the strict parser refuses: NaN, deep nesting,
// invalid UTF-8. Other readers of a token accept such JSON, so its times must not be overlooked.
// Pure; any thread.
#pragma once

#include <functional>
#include <optional>
#include <string_view>

#include "daemon/base/clock.h"

namespace claimsd::claims {

// Calls visit(name, value) for each member of the outermost object, both as spelled, the name
// without its quotes. False: the text is no object from its first to its last character.
bool scan_members(std::string_view text,
                  const std::function<void(std::string_view, std::string_view)>& visit);

// Whether a name as spelled means `name`, which is ASCII: "\u0065xp" means "exp".
bool means(std::string_view spelled, std::string_view name);

// A NumericDate (RFC 7519 section 2) in decimal digits; out of range: clamped to WallTime's. Nothing
// if the text is not a number.
std::optional<WallTime> read_numeric_date(std::string_view digits);
// The same for a number.
WallTime numeric_date(double seconds);

}  // namespace claimsd::claims

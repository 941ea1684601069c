// http_date.h: parses the three date formats of HTTP (RFC 9110 section 5.6.7). Pure; any thread.
#pragma once

#include <optional>
#include <string_view>

#include "daemon/base/clock.h"

namespace claimsd::daemon {

// Accepts IMF-fixdate ("Sun, 06 Nov 1994 08:49:37 GMT") and the obsolete formats "Sunday, 06-Nov-94
// 08:49:37 GMT" (the year lies within 50 years of `now`) and "Sun Nov  6 08:49:37 1994". The day of
// the week is not checked. Nullopt if malformed.
std::optional<WallTime> read_http_date(std::string_view text, WallTime now);

}  // namespace claimsd::daemon

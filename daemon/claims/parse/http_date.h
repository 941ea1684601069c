// http_date.h: the three forms of a date that HTTP knows. RFC 9110, section 5.6.7. Pure; any
// thread.
#pragma once

#include <optional>
#include <string_view>

#include "daemon/base/clock.h"

namespace claimsd::daemon {

// IMF-fixdate "Sun, 06 Nov 1994 08:49:37 GMT", and the obsolete "Sunday, 06-Nov-94 08:49:37 GMT"
// (whose year is one of the last 50 or the next 50, as seen from `now`) and "Sun Nov  6 08:49:37
// 1994". The day of the week is not compared. None: it is no such date.
std::optional<WallTime> read_http_date(std::string_view text, WallTime now);

}  // namespace claimsd::daemon

// jwt_parser.h: the two times a JWT says of itself, read without verifying its signature (RFC 7519
// sections 4.1.4 and 4.1.6).
//
// Only good for being stricter: `exp` can shorten a life, `iat` can bring a token under a
// revocation. Whatever is not a JWT, or says nothing usable, has no times. Pure; any thread.
#pragma once

#include <string_view>

#include "daemon/base/clock.h"
#include "daemon/claims/parse/json_room.h"

namespace claimsd::daemon {

struct JwtTimes {
  WallTime expires_at = WallTime::max();  // max: none
  WallTime issued_at = WallTime::min();   // min: none
};

// Of a claim given twice, the stricter (earlier) value counts. Fractions are kept to the
// nanosecond; what lies beyond the range of WallTime (the year 2262) is clamped to its ends, and
// beyond its end means "none".
JwtTimes read_jwt_times(std::string_view token, JsonRoom& room);
JwtTimes read_jwt_times(std::string_view token);

}  // namespace claimsd::daemon

// jwt_parser.h: reads `exp` and `iat` of a JWT without verifying its signature (RFC 7519 sections
// 4.1.4 and 4.1.6).
//
// The values may only make decisions stricter: `exp` can shorten a TTL, `iat` can put a token under
// a revocation. Input that is not a JWT, or has no usable times, yields none. Pure; any thread.
#pragma once

#include <string_view>

#include "daemon/base/clock.h"
#include "daemon/claims/parse/json_buffers.h"

namespace claimsd::claims {

struct JwtTimes {
  WallTime expires_at = WallTime::max();  // max: none
  WallTime issued_at = WallTime::min();   // min: none
};

// If a claim occurs twice, the stricter (earlier) value counts. Fractions are kept to the
// nanosecond. Values outside the range of WallTime (year 2262) are clamped; beyond its end means
// "none".
JwtTimes read_jwt_times(std::string_view token, JsonBuffers& buffers);
JwtTimes read_jwt_times(std::string_view token);

}  // namespace claimsd::claims

// jwt_parser.h: reads `exp`, `iat` and the kind of a JWT without verifying its signature (RFC 7519
// sections 4.1.4 and 4.1.6).
//
// The values may only make decisions stricter: `exp` can shorten a TTL, `iat` can put a token under
// a revocation. Input that is not a JWT, or has no such members, yields none.
// tests/testdata/tokens/ holds cases. Pure; any thread.
#pragma once

#include <string_view>

#include "daemon/base/clock.h"
#include "daemon/claims/parse/claims_parser.h"
#include "daemon/claims/parse/json_buffers.h"

namespace claimsd::claims {

struct JwtTimes {
  WallTime expires_at = WallTime::max();  // max: none
  WallTime issued_at = WallTime::min();   // min: none
  // False: `exp` or `iat` is present but unreadable, so an answer must not be cached.
  bool readable = true;
  // False: read from a payload that is not strict JSON, or from text. Such a time shortens a TTL but
  // rejects nothing.
  bool exact = true;
  // "typ" or "token_use" if that member says that it is a refresh or ID token, or is there twice.
  std::string_view wrong_use;

  // When the token is expired beyond doubt.
  WallTime rejected_after() const { return exact ? expires_at : WallTime::max(); }
  // The issue time that a revocation is compared with. An inexact one cannot prove that a token is
  // newer than a revocation.
  WallTime proven_issued_at() const { return exact ? issued_at : WallTime::min(); }
};

// If a claim occurs twice, the stricter (earlier) value counts. Fractions are kept to the
// nanosecond. Values outside the range of WallTime (year 2262) are clamped; beyond its end means
// "none".
JwtTimes read_jwt_times(std::string_view token, JsonBuffers& buffers);
JwtTimes read_jwt_times(std::string_view token);

// Whether a token that the Auth API confirmed may be used here: it is no refresh or ID token, and has
// what `mapping.require_token` requires. kClaimMismatch, or kUpstreamBody for a duplicate member.
ClaimsResult<void> check_token_claims(std::string_view token, const JwtTimes& times,
                                      const ClaimMapping& mapping, JsonBuffers& buffers);

}  // namespace claimsd::claims

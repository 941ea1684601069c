// bearer.h: extracts the token from an Authorization header, or says why there is none.
//
// Pure functions. auth_integration/bearer.py has the same rules for installations without this
// module; tests/python compares both. Sources: RFC 6750 2.1, RFC 7235 2.1. A token is visible
// ASCII, as in daemon/claims/parse/token.h.
#pragma once

#include <cstddef>
#include <string_view>

namespace claimsd::python {

struct Bearer {
  enum class Kind {
    kNotOurs,    // another scheme: another authenticator decides
    kToken,      // `token` is well-formed
    kMalformed,  // malformed: rejected without a query
    kTooLong,    // over 32 KiB: rejected without a query
  };
  Kind kind;
  std::string_view token;  // points into the header
};

// `header` is UTF-8 and may contain any byte.
Bearer parse_bearer(std::string_view header);

// Splits off the scheme without checking the token's characters: kToken gives its position only.
Bearer split_bearer(std::string_view header);

// The part behind the scheme: kToken, kMalformed or kTooLong.
Bearer check_token(std::string_view token);

}  // namespace claimsd::python

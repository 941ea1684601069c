// bearer.h: the token out of an Authorization header, or why there is none.
//
// Pure. The same rules stand in auth_integration/bearer.py, for where this module is not built;
// tests/python holds the two together. Sources: RFC 6750 2.1 (b64token), RFC 7235 2.1.
#pragma once

#include <cstddef>
#include <string_view>

namespace claimsd::python {

struct Bearer {
  enum class Kind {
    kNotOurs,    // another scheme: another authenticator's business
    kToken,      // `token` is one by its characters and size
    kMalformed,  // broken: refused without asking anybody
    kTooLong,    // over 8 KiB: likewise
  };
  Kind kind;
  std::string_view token;  // points into the header
};

// `header` is UTF-8 and may hold any bytes.
Bearer parse_bearer(std::string_view header);

// Its first half, which looks at no character of the token: kToken says where one would lie.
Bearer split_bearer(std::string_view header);

// The part behind the scheme: kToken, kMalformed or kTooLong.
Bearer check_token(std::string_view token);

}  // namespace claimsd::python

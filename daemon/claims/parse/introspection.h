// introspection.h: reads what decides in an introspection response (RFC 7662 section 2.2): `active`,
// `exp`, `aud` and `cnf`. The claims are read like those of any document (claims_parser.h). Pure; any
// thread.
#pragma once

#include <string>
#include <string_view>

#include "daemon/base/clock.h"
#include "daemon/base/result.h"
#include "daemon/claims/parse/json_buffers.h"

namespace claimsd::claims {

struct IntrospectionRules {
  std::string audience;       // that `aud` must be or contain; "": any
  bool accept_bound = false;  // accept tokens bound to a key (`cnf`), which is not checked here
};

struct Introspection {
  bool accepted = false;
  const char* why = "";                   // not accepted: the reason, for the log
  WallTime expires_at = WallTime::max();  // `exp`; max: none
  bool has_unreadable_exp = false;        // the answer must not be cached
};

// An error if `active` is missing or not a boolean, or if one of these members occurs twice. Names
// the member, never a value.
Result<Introspection> read_introspection(std::string_view body, const IntrospectionRules& rules,
                                         JsonBuffers& buffers);

}  // namespace claimsd::claims

// introspection.h: what decides in an introspection response (RFC 7662 section 2.2): `active`, `exp`,
// `aud` and `cnf`. Its claims are read like those of any document. Reader: parsed_document.h.
#pragma once

#include <string>

#include "daemon/base/clock.h"

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

}  // namespace claimsd::claims

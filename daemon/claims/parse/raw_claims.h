// raw_claims.h: the JSON text of a claims document that is passed on. Pure; any thread.
#pragma once

#include <simdjson.h>

#include <string_view>

#include "daemon/base/secret.h"
#include "daemon/claims/parse/claim_mapping.h"

namespace claimsd::claims {

// Writes `body`, whose object is `object`, without white space. If that takes more than
// mapping.max_raw bytes, sets `truncated` and writes only the top-level members with id, email and
// roles, or "{}" if even those are too large. Returns the size used in `raw`, which must have two
// bytes more than the body.
std::size_t write_raw_claims(std::string_view body, simdjson::dom::object object,
                             const ClaimMapping& mapping, Secret& raw, bool& truncated);

}  // namespace claimsd::claims

// raw_claims.h: the JSON text of a claims document that is passed on. Pure; any thread.
#pragma once

#include <simdjson.h>

#include <string_view>

#include "daemon/base/secret.h"
#include "daemon/claims/parse/claim_mapping.h"
#include "daemon/claims/parse/document_notes.h"

namespace claimsd::claims {

// `body`, whose object is `object`, as it is. If that has more than mapping.max_raw bytes, it is
// written into `room` without white space and noted as compacted. If that is too large as well, it
// is truncated to the top-level members with id, email and roles, or to "{}" if even those are too
// large.
std::string_view raw_claims(std::string_view body, simdjson::dom::object object,
                            const ClaimMapping& mapping, Secret& room, DocumentNotes& notes);

}  // namespace claimsd::claims

// document_notes.h: what is worth telling the operator about a usable claims document. Never a value
// of it. Pure; any thread.
#pragma once

#include <cstdint>

namespace claimsd::claims {

struct DocumentNotes {
  bool truncated = false;  // larger than ClaimMapping::max_raw: reduced to id, email and roles
  bool compacted = false;  // its white space was removed, so that it is not larger
  bool odd_email = false;  // the email claim is no email address and counts as absent
  std::uint32_t role_claims_found = 0;  // bit n: the document has role claim n
};

}  // namespace claimsd::claims

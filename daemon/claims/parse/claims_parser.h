// claims_parser.h: reads the claims document of a 200 and encodes what the mapping names as a claims
// block (proto/claims_block.h).
//
// The document must be one JSON object in valid UTF-8, at most 32 levels deep. Beyond that only the
// members that claimsd reads decide the verdict. Those are read strictly, because what passes here
// grants access: no control characters, no duplicates, limits. The rest is passed on as received.
// tests/testdata/documents/ holds the cases. Pure; any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "daemon/base/secret.h"
#include "daemon/claims/parse/claim_mapping.h"
#include "daemon/claims/parse/document_notes.h"
#include "daemon/claims/parse/json_buffers.h"
#include "proto/vocabulary.h"

namespace claimsd::claims {

struct ParsedClaims : DocumentNotes {
  Secret block;  // wiped on destruction
};

// Why there are no claims: kUpstreamBody, kClaimMismatch, kRolesUnknown or kRejected. The message names the rule
// and the member, never a value.
struct ClaimsError {
  ClaimsError(Error error)  // NOLINT(google-explicit-constructor): what TRY returns
      : message(std::move(error.message)) {}
  ClaimsError(proto::Reason why, std::string text) : reason(why), message(std::move(text)) {}

  proto::Reason reason = proto::Reason::kUpstreamBody;
  std::string message;
};

template <class T>
using ClaimsResult = tl::expected<T, ClaimsError>;

// The id is a non-empty string or an integer (kept as decimal digits). An email that is not a string
// of at most proto::kMaxEmail bytes counts as absent, as do missing roles.
ClaimsResult<ParsedClaims> parse_claims(std::string_view body, const ClaimMapping& mapping,
                                        JsonBuffers& buffers);
ClaimsResult<ParsedClaims> parse_claims(std::string_view body, const ClaimMapping& mapping);

}  // namespace claimsd::claims

// parsed_document.h: readers of one parsed document, so that an introspection response is parsed only
// once: first for what decides (introspection.h), then for its claims (claims_parser.h). Pure; any
// thread.
#pragma once

#include <string_view>

#include "daemon/claims/parse/claims_parser.h"
#include "daemon/claims/parse/introspection.h"
#include "daemon/claims/parse/json_parser.h"
#include "daemon/claims/parse/member.h"

namespace claimsd::claims {

// Copies `body` into `json` and parses it. An error unless it is one JSON object.
Result<Element> parse_object(WipedJson& json, std::string_view body);

// An error if `active` is missing or not a boolean, or if one of the members that decide occurs
// twice. Names the member, never a value.
Result<Introspection> read_introspection(Element root, const IntrospectionRules& rules);

// `root` is an object, and `body` its text.
ClaimsResult<ParsedClaims> read_claims(Element root, std::string_view body,
                                       const ClaimMapping& mapping);

}  // namespace claimsd::claims

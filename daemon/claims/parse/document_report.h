// document_report.h: describes a claims document for the operator who writes the mapping: its
// members, what each configured claim matches, and what to write instead. It names members, types and
// sizes, never a value. Pure; any thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "daemon/claims/parse/claim_mapping.h"

namespace claimsd::claims {

// Members listed at most, and levels below the document.
inline constexpr std::size_t kMaxReportedMembers = 200;
inline constexpr std::size_t kMaxReportedDepth = 4;

struct MemberReport {
  std::string at;    // a JSON Pointer
  std::string what;  // "string of 12 bytes", "list of 3 strings"
};

struct ClaimReport {
  std::string option;  // "role_claims"
  std::string claim;   // as configured
  bool good = false;
  std::string found;  // "2 roles", "missing"
  std::string hint;   // what to write instead; "" if nothing is known
};

struct DocumentReport {
  bool is_object = false;
  std::string problem;  // why it is not one JSON object
  std::vector<MemberReport> members;
  bool cut = false;  // there are more members
  std::vector<ClaimReport> claims;
};

DocumentReport describe_document(std::string_view body, const ClaimMapping& mapping);

// The same for the payload of a token: its members and what `require_token` finds. Not an object:
// the token is opaque.
DocumentReport describe_token(std::string_view token, const ClaimMapping& mapping);

}  // namespace claimsd::claims

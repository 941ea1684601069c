// document_findings.h: judges what the claims documents of each Auth API had and lacked. Pure; any
// thread.
#pragma once

#include <vector>

#include "daemon/admin/health.h"

namespace claimsd::admin {

// After so many documents a role claim that none of them had is reported.
inline constexpr std::uint64_t kDocumentsUntilMissing = 20;

// Whether role claim `number` of this Auth API should be reported as missing.
bool is_role_claim_missing(const UpstreamStatus& upstream, std::size_t number);

// How long an unusable document is reported.
inline constexpr Duration kUnusableMatters = std::chrono::hours(1);

void assess_documents(const UpstreamStatus& upstream, WallTime now, std::vector<Finding>& findings);

}  // namespace claimsd::admin

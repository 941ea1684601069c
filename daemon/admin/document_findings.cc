#include "daemon/admin/document_findings.h"

#include <fmt/core.h>

namespace claimsd::admin {

bool is_role_claim_missing(const UpstreamStatus& upstream, std::size_t number) {
  return upstream.documents.seen >= kDocumentsUntilMissing &&
         upstream.documents.role_claims.at(number).found == 0;
}

void assess_documents(const UpstreamStatus& upstream, WallTime now,
                      std::vector<Finding>& findings) {
  const DocumentStatus& documents = upstream.documents;
  // If all requests fail, the finding upstream_failing has the detail.
  if (documents.unusable > 0 && now - documents.unusable_at < kUnusableMatters &&
      upstream_state(upstream) != "failing") {
    findings.push_back(
        {"documents_unusable",
         fmt::format("claims documents of \"{}\" could not be used ({} since the start), so these "
                     "users are answered unavailable; the last one: {}",
                     upstream.name, documents.unusable, documents.unusable_detail),
         fmt::format(
             "run claimsctl test-upstream {0} with a token of such a user; correct the option "
             "upstream.{0} that it names, or let the provider send what fits",
             upstream.name)});
  }
  for (std::size_t number = 0; number < documents.role_claims.size(); ++number) {
    if (!is_role_claim_missing(upstream, number)) continue;
    findings.push_back(
        {"role_claim_missing",
         fmt::format("none of the {} claims documents of \"{}\" had the role claim \"{}\"",
                     documents.seen, upstream.name, documents.role_claims[number].name),
         fmt::format("run claimsctl test-upstream {0} with a token, and correct "
                     "upstream.{0}.role_claims or let the provider add the claim",
                     upstream.name)});
  }
  if (documents.truncated > 0) {
    findings.push_back(
        {"claims_truncated",
         fmt::format(
             "{} of {} claims documents of \"{}\" were too large and truncated to id, email "
             "and roles",
             documents.truncated, documents.seen, upstream.name),
         fmt::format("raise upstream.{}.max_claims_bytes, or let the provider send fewer claims",
                     upstream.name)});
  }
}

}  // namespace claimsd::admin

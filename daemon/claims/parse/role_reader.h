// role_reader.h: collects a user's roles from the configured members of a claims document.
// Pure; any thread.
#pragma once

#include <string_view>
#include <unordered_set>
#include <vector>

#include "daemon/claims/parse/claim_mapping.h"
#include "daemon/claims/parse/member.h"

namespace claimsd::claims {

// Roles in the order of the document, each once. They point into the document.
class RoleReader {
 public:
  // Adds the roles of one claim. False: the document has no such member, or null there.
  Result<bool> add(Element document, const RoleClaim& claim);
  const std::vector<std::string_view>& roles() const { return roles_; }

 private:
  Status add_list(Element value, const ClaimPath& at);
  Status add_words(Element value, const ClaimPath& at);
  Status add_keys(Element value, const ClaimPath& at);
  Status add_role(std::string_view role, const ClaimPath& at);
  bool is_new(std::string_view role);

  std::vector<std::string_view> roles_;
  std::unordered_set<std::string_view> known_;  // the same, once there are many
  std::size_t bytes_ = 0;
};

// The first role claim whose roles the Auth API left out because there are too many of them, or
// null. Entra ID marks that with `_claim_names` or `hasgroups`.
Result<const RoleClaim*> find_omitted_roles(Element document, const std::vector<RoleClaim>& claims);

}  // namespace claimsd::claims

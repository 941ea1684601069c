// role_reader.h: collects a user's roles from the configured members of a claims document.
// Pure; any thread.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

#include "daemon/claims/parse/claim_mapping.h"
#include "daemon/claims/parse/member.h"
#include "proto/limits.h"

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
  // Enters the role that will be number `number`. False if it is there already.
  bool enter(std::string_view role, std::size_t number);

  // At most half full, so that a search is short.
  static constexpr std::size_t kTableSize = 2 * proto::kMaxRoles;

  std::vector<std::string_view> roles_;
  // Once there are many: a hash table of their numbers plus one, without an allocation for each.
  std::array<std::uint16_t, kTableSize> table_{};
  std::size_t entered_ = 0;
  std::size_t bytes_ = 0;
};

// The first role claim whose roles the Auth API left out because there are too many of them, or
// null. Entra ID marks that with `_claim_names` or `hasgroups`.
Result<const RoleClaim*> find_omitted_roles(Element document, const std::vector<RoleClaim>& claims);

}  // namespace claimsd::claims

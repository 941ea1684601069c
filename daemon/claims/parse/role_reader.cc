#include "daemon/claims/parse/role_reader.h"

#include <algorithm>
#include <functional>

namespace claimsd::claims {
namespace {

namespace dom = simdjson::dom;

constexpr std::size_t kFewRoles = 16;  // up to here a search of the list is faster than a table
constexpr std::string_view kBlanks = " \t\r\n";

}  // namespace

Result<bool> RoleReader::add(Element document, const RoleClaim& claim) {
  const std::optional<Element> value = TRY(find_member(document, claim.at));
  if (!value || value->is_null()) return false;
  switch (claim.form) {
    case RoleForm::kList: TRY(add_list(*value, claim.at)); break;
    case RoleForm::kWords: TRY(add_words(*value, claim.at)); break;
    case RoleForm::kKeys: TRY(add_keys(*value, claim.at)); break;
  }
  return true;
}

Status RoleReader::add_list(Element value, const ClaimPath& at) {
  std::string_view role;
  if (value.get(role) == simdjson::SUCCESS) return add_role(role, at);
  dom::array array;
  if (value.get(array) != simdjson::SUCCESS)
    return member_failure(at, "is not a string or an array of strings");
  for (const Element item : array) {
    if (item.get(role) != simdjson::SUCCESS)
      return member_failure(at, "is not a string or an array of strings");
    TRY(add_role(role, at));
  }
  return {};
}

Status RoleReader::add_words(Element value, const ClaimPath& at) {
  std::string_view text;
  if (value.get(text) != simdjson::SUCCESS) return member_failure(at, "is not a string");
  while (true) {
    text.remove_prefix(std::min(text.find_first_not_of(kBlanks), text.size()));
    if (text.empty()) return {};
    const std::string_view word = text.substr(0, text.find_first_of(kBlanks));
    TRY(add_role(word, at));
    text.remove_prefix(word.size());
  }
}

Status RoleReader::add_keys(Element value, const ClaimPath& at) {
  dom::object object;
  if (value.get(object) != simdjson::SUCCESS) return member_failure(at, "is not an object");
  for (const auto& [key, unused] : object) TRY(add_role(key, at));
  return {};
}

Status RoleReader::add_role(std::string_view role, const ClaimPath& at) {
  if (role.empty()) return {};
  TRY(check_text(role, at, proto::kMaxRole));
  if (!is_new(role)) return {};
  roles_.push_back(role);
  bytes_ += role.size();
  if (roles_.size() > proto::kMaxRoles)
    return member_failure(at, "lists more than {} roles", proto::kMaxRoles);
  if (bytes_ > proto::kMaxRoleBytes)
    return member_failure(at, "lists roles of more than {} bytes", proto::kMaxRoleBytes);
  return {};
}

bool RoleReader::is_new(std::string_view role) {
  if (roles_.size() < kFewRoles)
    return std::find(roles_.begin(), roles_.end(), role) == roles_.end();
  for (; entered_ < roles_.size(); ++entered_) enter(roles_[entered_], entered_);
  if (!enter(role, roles_.size())) return false;
  ++entered_;
  return true;
}

bool RoleReader::enter(std::string_view role, std::size_t number) {
  std::size_t at = std::hash<std::string_view>()(role) % kTableSize;
  for (; table_[at] != 0; at = (at + 1) % kTableSize) {
    if (roles_[table_[at] - 1U] == role) return false;
  }
  table_[at] = static_cast<std::uint16_t>(number + 1);
  return true;
}

Result<const RoleClaim*> find_omitted_roles(Element document,
                                            const std::vector<RoleClaim>& claims) {
  static const ClaimPath kNames = ClaimPath::member("_claim_names");
  static const ClaimPath kHasGroups = ClaimPath::member("hasgroups");
  if (claims.empty()) return nullptr;
  const std::optional<Element> names = TRY(find_member(document, kNames));
  const std::optional<Element> has_groups = TRY(find_member(document, kHasGroups));
  std::string_view text;
  bool yes = false;
  const bool no_groups =
      has_groups && (has_groups->get(yes) == simdjson::SUCCESS
                         ? yes
                         : has_groups->get(text) == simdjson::SUCCESS && text == "true");
  dom::object elsewhere;
  const bool has_names = names && names->get(elsewhere) == simdjson::SUCCESS;
  for (const RoleClaim& claim : claims) {
    const std::string& member = claim.at.steps.front();
    if (no_groups && member == "groups") return &claim;
    if (!has_names) continue;
    for (const auto& [key, unused] : elsewhere) {
      if (key == member) return &claim;
    }
  }
  return nullptr;
}

}  // namespace claimsd::claims

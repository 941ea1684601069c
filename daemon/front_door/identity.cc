#include "daemon/front_door/identity.h"

#include "daemon/base/percent_encoding.h"

namespace claimsd::front_door {

std::string percent_encoded(std::string_view text) {
  return claimsd::percent_encoded(text, "@:");
}

std::vector<std::pair<std::string, std::string>> identity_headers(const proto::ClaimsView& claims) {
  std::string id = percent_encoded(claims.id);  // at most three times proto::kMaxId: always fits
  std::string email = percent_encoded(claims.email);
  bool truncated = id.size() + email.size() > kMaxIdentityBytes;
  if (truncated) email.clear();
  std::string roles;
  claims.roles.each([&](std::string_view role) {
    const std::string encoded = percent_encoded(role);
    const std::size_t size = id.size() + email.size() + roles.size() + 1 + encoded.size();
    if (size > kMaxIdentityBytes) {
      truncated = true;
      return false;
    }
    if (!roles.empty()) roles += ',';
    roles += encoded;
    return true;
  });
  return {{std::string(kIdHeader), std::move(id)},
          {std::string(kEmailHeader), std::move(email)},
          {std::string(kRolesHeader), std::move(roles)},
          {std::string(kTruncatedHeader), truncated ? "1" : "0"}};
}

}  // namespace claimsd::front_door

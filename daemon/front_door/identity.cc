#include "daemon/front_door/identity.h"

namespace claimsd::front_door {
namespace {

bool is_plain(char letter) {
  return (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z') ||
         (letter >= '0' && letter <= '9') || letter == '-' || letter == '.' || letter == '_' ||
         letter == '~' || letter == '@' || letter == ':';
}

}  // namespace

std::string percent_encoded(std::string_view text) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  std::string encoded;
  encoded.reserve(text.size());
  for (const char letter : text) {
    if (is_plain(letter)) {
      encoded += letter;
      continue;
    }
    const auto byte = static_cast<unsigned char>(letter);
    encoded += '%';
    encoded += kHex[byte >> 4U];
    encoded += kHex[byte & 15U];
  }
  return encoded;
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

#include "proto/claims_block.h"

namespace claimsd::proto {

bool decode_claims(std::string_view block, ClaimsView& out) {
  Reader reader(block);
  out.id = reader.sized<std::uint16_t>(kMaxId);
  out.email = reader.sized<std::uint16_t>(kMaxEmail);
  const auto count = reader.integer<std::uint16_t>();
  if (count > kMaxRoles) reader.fail();
  const char* const items = reader.at();
  for (std::uint16_t i = 0; i < count && reader.ok(); ++i) {
    static_cast<void>(reader.sized<std::uint16_t>(kMaxRole));
  }
  if (!reader.ok()) return false;
  const auto size = static_cast<std::size_t>(reader.at() - items);
  if (size > std::size_t{2} * count + kMaxRoleBytes) return false;
  out.roles = RoleList(count, std::string_view(items, size));
  out.raw = reader.sized<std::uint32_t>(kMaxRawClaims);
  return reader.ok() && reader.left() == 0 && !out.id.empty();
}

}  // namespace claimsd::proto

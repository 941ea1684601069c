// claims_block.h: one user's claims as bytes, in the form in which they travel, rest in the store
// and lie in a slot.
//
//   block = id email roles raw
//   id    = u16 size, bytes        1..kMaxId
//   email = u16 size, bytes        0..kMaxEmail; absent is empty
//   roles = u16 count, count × (u16 size, bytes)
//   raw   = u32 size, bytes        the Auth API's JSON object, whitespace removed
//
// Made once, when an answer arrives from the Auth API, and from then on copied whole: neither
// daemon nor client parses JSON to answer. A ClaimsView points into a block that somebody else
// keeps alive.
#pragma once

#include "proto/bytes.h"
#include "proto/limits.h"

namespace claimsd::proto {

// The roles of a block. Only made by decode_claims, which has checked every length in it.
class RoleList {
 public:
  RoleList() = default;
  RoleList(std::uint16_t count, std::string_view items) : count_(count), items_(items) {}

  std::size_t size() const { return count_; }

  // Calls `visit(role)` for each role in order until it returns false.
  template <class Visit>
  void each(Visit&& visit) const {
    Reader reader(items_);
    for (std::uint16_t i = 0; i < count_; ++i) {
      if (!visit(reader.sized<std::uint16_t>(kMaxRole))) return;
    }
  }

 private:
  std::uint16_t count_ = 0;
  std::string_view items_;
};

struct ClaimsView {
  std::string_view id;
  std::string_view email;
  RoleList roles;
  std::string_view raw;
};

// False when the bytes are not exactly one block. `out` then is unspecified.
bool decode_claims(std::string_view block, ClaimsView& out);

// Bytes of the block that encode_claims() writes.
template <class Roles>
std::size_t claims_block_size(std::string_view id, std::string_view email, const Roles& roles,
                              std::string_view raw) {
  std::size_t size = (2 + id.size()) + (2 + email.size()) + 2 + (4 + raw.size());
  for (const auto& role : roles) size += 2 + role.size();
  return size;
}

// Writes a block; `roles` yields std::string_view. False (through the writer) when a limit or the
// buffer is exceeded.
template <class Roles>
bool encode_claims(Writer& writer, std::string_view id, std::string_view email, const Roles& roles,
                   std::string_view raw) {
  writer.sized<std::uint16_t>(id, kMaxId);
  writer.sized<std::uint16_t>(email, kMaxEmail);
  if (id.empty() || roles.size() > kMaxRoles) writer.fail();
  writer.integer(static_cast<std::uint16_t>(roles.size()));
  for (const auto& role : roles) writer.sized<std::uint16_t>(role, kMaxRole);
  writer.sized<std::uint32_t>(raw, kMaxRawClaims);
  return writer.ok();
}

}  // namespace claimsd::proto

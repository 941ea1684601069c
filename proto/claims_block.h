// claims_block.h: the encoding of one user's claims, used on the wire, in the store and in map
// slots.
//
//   block = id email roles raw
//   id    = u16 size, bytes        1..kMaxId
//   email = u16 size, bytes        0..kMaxEmail; empty: absent
//   roles = u16 count, count × (u16 size, bytes)    together at most kMaxRoleBytes
//   raw   = u32 size, bytes        the Auth API's JSON object as it was sent, unless flagged
//
// Encoded once, when an answer arrives from the Auth API, and then copied as a whole: neither
// daemon nor client parses JSON to answer a query. A ClaimsView points into a block that the caller
// keeps alive. Pure; any thread.
#pragma once

#include "proto/bytes.h"
#include "proto/limits.h"

namespace claimsd::proto {

// The roles of a block. Only decode_claims() creates it, after checking every size.
class RoleList {
 public:
  RoleList() = default;
  RoleList(std::uint16_t count, std::string_view items) : count_(count), items_(items) {}

  std::size_t size() const { return count_; }

  // Calls `visit(role)` for each role in order, until it returns false.
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

// False if the bytes are not exactly one block; `out` is then unspecified.
bool decode_claims(std::string_view block, ClaimsView& out);

// Size of the block written by encode_claims().
template <class Roles>
std::size_t claims_block_size(std::string_view id, std::string_view email, const Roles& roles,
                              std::string_view raw) {
  std::size_t size = (2 + id.size()) + (2 + email.size()) + 2 + (4 + raw.size());
  for (const auto& role : roles) size += 2 + role.size();
  return size;
}

// Writes a block; `roles` yields std::string_view. False, also in the writer, if a limit or the
// buffer is exceeded.
template <class Roles>
bool encode_claims(Writer& writer, std::string_view id, std::string_view email, const Roles& roles,
                   std::string_view raw) {
  writer.sized<std::uint16_t>(id, kMaxId);
  writer.sized<std::uint16_t>(email, kMaxEmail);
  if (id.empty() || roles.size() > kMaxRoles) writer.fail();
  writer.integer(static_cast<std::uint16_t>(roles.size()));
  std::size_t role_bytes = 0;
  for (const auto& role : roles) {
    role_bytes += role.size();
    writer.sized<std::uint16_t>(role, kMaxRole);
  }
  if (role_bytes > kMaxRoleBytes) writer.fail();
  writer.sized<std::uint32_t>(raw, kMaxRawClaims);
  return writer.ok();
}

}  // namespace claimsd::proto

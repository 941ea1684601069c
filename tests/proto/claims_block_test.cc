// The claims block: id, email, roles and raw claims as bytes.
#include "proto/claims_block.h"

#include <string>
#include <vector>

#include "tests/proto/exact_bytes.h"
#include "tests/support/catch.h"

namespace claimsd::proto {
namespace {

using testing::ExactBytes;
using Roles = std::vector<std::string>;

std::string block_of(std::string_view id, std::string_view email, const Roles& roles,
                     std::string_view raw) {
  std::string block(kMaxClaimsBlock, '\0');
  Writer writer(block.data(), block.size());
  const bool written = encode_claims(writer, id, email, roles, raw);
  block.resize(written ? writer.size() : 0);
  return block;
}

Roles roles_of(const ClaimsView& claims) {
  Roles roles;
  claims.roles.each([&roles](std::string_view role) {
    roles.emplace_back(role);
    return true;
  });
  return roles;
}

const Roles kRoles = {"rvt", "doctor", ""};

TEST_CASE("claims are unchanged by encoding and decoding") {
  const ExactBytes block(block_of("user-1", "a@b.example", kRoles, "{\"id\":\"user-1\"}"));
  ClaimsView claims;
  REQUIRE(decode_claims(block.view(), claims));
  CHECK(claims.id == "user-1");
  CHECK(claims.email == "a@b.example");
  CHECK(roles_of(claims) == kRoles);
  CHECK(claims.roles.size() == 3);
  CHECK(claims.raw == "{\"id\":\"user-1\"}");
}

TEST_CASE("visiting roles stops when the visitor returns false") {
  const std::string block = block_of("1", "", kRoles, "");
  ClaimsView claims;
  REQUIRE(decode_claims(block, claims));
  int visits = 0;
  claims.roles.each([&visits](std::string_view role) {
    ++visits;
    return role != "rvt";
  });
  CHECK(visits == 1);
}

TEST_CASE("a truncated block or one with an extra byte is rejected") {
  const std::string block = block_of("user-1", "a@b.example", kRoles, "{}");
  ClaimsView claims;
  for (std::size_t size = 0; size < block.size(); ++size) {
    REQUIRE_FALSE(
        decode_claims(ExactBytes(std::string_view(block).substr(0, size)).view(), claims));
  }
  CHECK_FALSE(decode_claims(ExactBytes(block + "x").view(), claims));
}

TEST_CASE("claims without an id are rejected") {
  CHECK(block_of("", "a@b.example", {}, "{}").empty());
  ClaimsView claims;
  CHECK_FALSE(decode_claims(std::string(10, '\0'), claims));
}

TEST_CASE("every limit of a block is enforced on encoding") {
  CHECK_FALSE(block_of(std::string(kMaxId, 'i'), std::string(kMaxEmail, 'e'),
                       Roles(kMaxRoles, std::string(kMaxRoleBytes / kMaxRoles, 'r')),
                       std::string(kMaxRawClaims, 'j'))
                  .empty());
  CHECK(block_of(std::string(kMaxId + 1, 'i'), "", {}, "").empty());
  CHECK(block_of("1", std::string(kMaxEmail + 1, 'e'), {}, "").empty());
  CHECK(block_of("1", "", Roles(kMaxRoles + 1), "").empty());
  CHECK(block_of("1", "", {std::string(kMaxRole + 1, 'r')}, "").empty());
  const std::size_t longest = kMaxRoleBytes / kMaxRole;
  CHECK_FALSE(block_of("1", "", Roles(longest, std::string(kMaxRole, 'r')), "").empty());
  CHECK(block_of("1", "", Roles(longest + 1, std::string(kMaxRole, 'r')), "").empty());
  CHECK(block_of("1", "", {}, std::string(kMaxRawClaims + 1, 'j')).empty());
}

TEST_CASE("every limit of a block is enforced on decoding") {
  ClaimsView claims;
  const auto u16 = [](std::size_t value) {
    return std::string{static_cast<char>(value & 0xff), static_cast<char>(value >> 8)};
  };
  const std::string id = u16(1) + "1";
  const std::string no_raw(4, '\0');
  CHECK(decode_claims(id + u16(0) + u16(0) + no_raw, claims));
  CHECK_FALSE(decode_claims(
      u16(kMaxId + 1) + std::string(kMaxId + 1, 'i') + u16(0) + u16(0) + no_raw, claims));
  CHECK_FALSE(decode_claims(
      id + u16(kMaxEmail + 1) + std::string(kMaxEmail + 1, 'e') + u16(0) + no_raw, claims));
  CHECK_FALSE(decode_claims(
      id + u16(0) + u16(kMaxRoles + 1) + std::string(2 * (kMaxRoles + 1), '\0') + no_raw, claims));
  CHECK_FALSE(decode_claims(
      id + u16(0) + u16(1) + u16(kMaxRole + 1) + std::string(kMaxRole + 1, 'r') + no_raw, claims));
  CHECK_FALSE(decode_claims(id + u16(0) + u16(0) + u16((kMaxRawClaims + 1) & 0xffff) +
                                u16((kMaxRawClaims + 1) >> 16) +
                                std::string(kMaxRawClaims + 1, 'j'),
                            claims));
  std::string roles = u16(kMaxRoleBytes / kMaxRole + 1);
  for (std::size_t i = 0; i <= kMaxRoleBytes / kMaxRole; ++i)
    roles += u16(kMaxRole) + std::string(kMaxRole, 'r');
  CHECK_FALSE(decode_claims(id + u16(0) + roles + no_raw, claims));
}

}  // namespace
}  // namespace claimsd::proto

#include "daemon/claims/parse/claims_parser.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <vector>

#include "daemon/claims/parse/parsed_document.h"
#include "daemon/claims/parse/raw_claims.h"
#include "daemon/claims/parse/required_claims.h"
#include "daemon/claims/parse/role_reader.h"
#include "proto/claims_block.h"

namespace claimsd::claims {
namespace {

// Buffer for the digits of an integer id.
using Digits = std::array<char, 24>;

std::string_view written(auto number, Digits& digits) {
  const char* const end = fmt::format_to(digits.data(), "{}", number);
  return {digits.data(), static_cast<std::size_t>(end - digits.data())};
}

Result<std::string_view> read_id(Element document, const ClaimPath& path, Digits& digits) {
  const std::optional<Element> value = TRY(find_member(document, path));
  if (!value) return member_failure(path, "is missing");
  if (std::string_view text; value->get(text) == simdjson::SUCCESS && !text.empty()) {
    TRY(check_text(text, path, proto::kMaxId));
    return text;
  }
  if (std::int64_t number = 0; value->get(number) == simdjson::SUCCESS)
    return written(number, digits);
  if (std::uint64_t number = 0; value->get(number) == simdjson::SUCCESS)
    return written(number, digits);
  return member_failure(path, "is neither a string nor an integer");
}

// An odd email address never blocks a user.
Result<std::string_view> read_email(Element document, const ClaimPath& path, bool& odd) {
  const std::optional<Element> value = TRY(find_member(document, path));
  if (!value || value->is_null()) return std::string_view();
  std::string_view text;
  odd = value->get(text) != simdjson::SUCCESS || !check_text(text, path, proto::kMaxEmail);
  return odd ? std::string_view() : text;
}

ClaimsResult<std::uint32_t> read_roles(Element document, const std::vector<RoleClaim>& claims,
                                       RoleReader& reader) {
  if (const RoleClaim* const omitted = TRY(find_omitted_roles(document, claims))) {
    return tl::make_unexpected(
        ClaimsError(proto::Reason::kRolesUnknown,
                    fmt::format("member \"{}\" was left out, because the user has too many groups",
                                omitted->at.text)));
  }
  std::uint32_t found = 0;
  std::uint32_t bit = 1;
  for (const RoleClaim& claim : claims) {
    const bool has_claim = TRY(reader.add(document, claim));
    if (has_claim) found |= bit;
    bit <<= 1;
  }
  return found;
}

}  // namespace

ClaimsResult<ParsedClaims> parse_claims(std::string_view body, const ClaimMapping& mapping) {
  JsonBuffers buffers;
  return parse_claims(body, mapping, buffers);
}

ClaimsResult<ParsedClaims> parse_claims(std::string_view body, const ClaimMapping& mapping,
                                        JsonBuffers& buffers) {
  WipedJson json(buffers);
  const Element root = TRY(parse_object(json, body));
  return read_claims(root, body, mapping);
}

Result<Element> parse_object(WipedJson& json, std::string_view body) {
  std::copy(body.begin(), body.end(), json.input(body.size()));
  const Element root = TRY(json.parse_tolerantly(body.size()));
  if (!root.is_object()) return failure("not a JSON object");
  return root;
}

ClaimsResult<ParsedClaims> read_claims(Element root, std::string_view body,
                                       const ClaimMapping& mapping) {
  if (const RequiredClaim* const missing = TRY(find_mismatch(root, mapping.require))) {
    return tl::make_unexpected(ClaimsError(
        proto::Reason::kClaimMismatch,
        fmt::format("member \"{}\" does not have the required value", missing->at.text)));
  }

  ParsedClaims parsed;
  Digits digits;
  RoleReader roles;
  const std::string_view id = TRY(read_id(root, mapping.id, digits));
  const std::string_view email = TRY(read_email(root, mapping.email, parsed.odd_email));
  const auto found = read_roles(root, mapping.roles, roles);
  if (!found) return tl::make_unexpected(found.error());
  parsed.role_claims_found = *found;

  Secret room;
  const std::string_view raw =
      raw_claims(body, root.get_object().value_unsafe(), mapping, room, parsed);
  // Allocate the exact size: the largest block is 80 KiB.
  parsed.block = Secret(proto::claims_block_size(id, email, roles.roles(), raw));
  proto::Writer writer(parsed.block.data(), parsed.block.view().size());
  if (!proto::encode_claims(writer, id, email, roles.roles(), raw))
    return failure("the claims exceed a limit of the protocol");
  return parsed;
}

}  // namespace claimsd::claims

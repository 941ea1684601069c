// Parsers of untrusted input in the core: tokens, JWT payloads, response bodies, headers. No input
// may crash them, and accepted claims satisfy the parser's guarantees.
//
// The first byte selects the parser for the rest.
#include <cstdint>
#include <cstdlib>
#include <string>

#include "daemon/claims/parse/cache_headers.h"
#include "daemon/claims/parse/claims_parser.h"
#include "daemon/claims/parse/jwt_parser.h"
#include "daemon/claims/parse/token.h"
#include "proto/claims_block.h"

namespace {

using namespace claimsd;

void require(bool holds) {
  if (!holds) std::abort();
}

void require_clean(std::string_view text) {
  for (const char c : text) require(static_cast<unsigned char>(c) >= 0x20 && c != 0x7f);
}

void read_body(std::string_view body) {
  const auto parsed = claims::parse_claims(body, {});
  if (!parsed) return require(!parsed.error().message.empty());
  proto::ClaimsView claims;
  require(proto::decode_claims(parsed->block.view(), claims));
  require_clean(claims.id);
  require_clean(claims.email);
  claims.roles.each([](std::string_view role) {
    require(!role.empty());
    require_clean(role);
    return true;
  });
  // The raw object parses to the same claims.
  if (claims.raw == "{}") return require(parsed->truncated);
  const auto again = claims::parse_claims(claims.raw, {});
  require(again.has_value());
  proto::ClaimsView same;
  require(proto::decode_claims(again->block.view(), same));
  require(same.id == claims.id && same.email == claims.email && same.raw == claims.raw);
}

std::string base64url(std::string_view bytes) {
  constexpr char kLetters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  std::string out;
  std::uint32_t bits = 0;
  unsigned count = 0;
  for (const char c : bytes) {
    bits = (bits << 8) | static_cast<unsigned char>(c);
    for (count += 8; count >= 6; count -= 6) out += kLetters[(bits >> (count - 6)) & 63];
  }
  if (count > 0) out += kLetters[(bits << (6 - count)) & 63];
  return out;
}

// Tests the text as a token, and as the payload of one.
void read_token(std::string_view text) {
  static_cast<void>(claims::check_token(text));
  static_cast<void>(claims::read_jwt_times(text));
  const std::string token = "e30." + base64url(text) + ".c2ln";
  require(token.size() > proto::kMaxToken || claims::check_token(token) == proto::Reason::kOk);
  static_cast<void>(claims::read_jwt_times(token));
}

void read_headers(std::string_view text) {
  const auto middle = text.size() / 2;
  const auto headers = claims::read_cache_headers(text.substr(0, middle), text.substr(middle));
  if (headers.lifetime) require(headers.lifetime->count() >= 0);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view rest(reinterpret_cast<const char*>(data) + 1, size - 1);
  switch (data[0] % 3) {
    case 0: read_body(rest); break;
    case 1: read_token(rest); break;
    default: read_headers(rest); break;
  }
  return 0;
}

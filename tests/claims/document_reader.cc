// Reads claims documents like the daemon: one in base64 per line of standard input, one result as
// JSON per line of standard output. tests/python/test_mapping.py compares it with the Django package.
#include <iostream>
#include <string>

#include "daemon/base/json_writer.h"
#include "daemon/claims/parse/claims_parser.h"
#include "proto/claims_block.h"

namespace {

using namespace claimsd;
using namespace claimsd::claims;

std::string decode_base64(std::string_view text) {
  constexpr std::string_view kLetters =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  std::uint32_t bits = 0;
  int count = 0;
  for (const char c : text) {
    if (c == '=') break;
    bits = (bits << 6) | static_cast<std::uint32_t>(kLetters.find(c));
    if ((count += 6) >= 8) out += static_cast<char>((bits >> (count -= 8)) & 0xff);
  }
  return out;
}

// That of SETTINGS in the test.
ClaimMapping mapping() {
  ClaimMapping made;
  made.roles = {{ClaimPath::member("role"), RoleForm::kList},
                {*ClaimPath::parse("/a/b"), RoleForm::kList},
                {ClaimPath::member("scope"), RoleForm::kWords},
                {ClaimPath::member("k"), RoleForm::kKeys}};
  return made;
}

std::string read(std::string_view body, const ClaimMapping& mapping) {
  JsonWriter json;
  json.begin_object();
  const auto parsed = parse_claims(body, mapping);
  if (!parsed)
    return json.member("reason", proto::name_of(parsed.error().reason)).end_object().take();
  proto::ClaimsView claims;
  if (!proto::decode_claims(parsed->block.view(), claims)) return "\"undecodable\"";
  json.member("reason", "ok").member("id", claims.id).member("email", claims.email);
  json.key("roles").begin_array();
  claims.roles.each([&json](std::string_view role) {
    json.value(role);
    return true;
  });
  return json.end_array().end_object().take();
}

}  // namespace

int main() {
  const ClaimMapping made = mapping();
  for (std::string line; std::getline(std::cin, line);)
    std::cout << read(decode_base64(line), made) << std::endl;
  return 0;
}

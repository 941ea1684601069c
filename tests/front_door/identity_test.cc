// The identity headers.
#include "daemon/front_door/identity.h"

#include "tests/support/catch.h"

namespace claimsd::front_door {
namespace {

std::vector<std::pair<std::string, std::string>> headers_of(std::string_view id,
                                                            std::string_view email,
                                                            const std::vector<std::string>& roles) {
  std::vector<std::string_view> views(roles.begin(), roles.end());
  std::string block(proto::claims_block_size(id, email, views, "{}"), '\0');
  proto::Writer writer(block.data(), block.size());
  REQUIRE(proto::encode_claims(writer, id, email, views, "{}"));
  proto::ClaimsView claims;
  REQUIRE(proto::decode_claims(block, claims));
  return identity_headers(claims);
}

TEST_CASE("every identity header is always there, empty ones included") {
  const auto headers = headers_of("7", "", {});
  REQUIRE(headers.size() == 4);
  CHECK(headers[0] == std::pair<std::string, std::string>("X-Claims-Id", "7"));
  CHECK(headers[1] == std::pair<std::string, std::string>("X-Claims-Email", ""));
  CHECK(headers[2] == std::pair<std::string, std::string>("X-Claims-Roles", ""));
  CHECK(headers[3] == std::pair<std::string, std::string>("X-Claims-Truncated", "0"));
}

TEST_CASE("a comma in a role and a line break in a value are percent-encoded") {
  const auto headers = headers_of("a b", "tess+x@example.com",
                                  {"doctor,admin", "nurse\r\nX-Claims-Id: 1", "é", "100%"});
  CHECK(headers[0].second == "a%20b");
  CHECK(headers[1].second == "tess%2Bx@example.com");
  CHECK(headers[2].second == "doctor%2Cadmin,nurse%0D%0AX-Claims-Id:%201,%C3%A9,100%25");
}

TEST_CASE("roles that do not fit are left out whole, and a header says so") {
  std::vector<std::string> roles;
  for (int i = 0; i < 60; ++i) roles.push_back(std::string(100, 'r') + std::to_string(i));
  const auto headers = headers_of(std::string(256, '%'), "tess@example.com", roles);
  CHECK(headers[3].second == "1");
  std::size_t sum = 0;
  for (const auto& [name, value] : headers) sum += value.size();
  CHECK(sum <= kMaxIdentityBytes + 1);
  const std::string& list = headers[2].second;
  CHECK(list.substr(0, 101) == roles[0]);
  CHECK(list.substr(list.rfind(',') + 1).size() >= 101);
}

TEST_CASE("every byte is either plain or percent-encoded") {
  for (int byte = 0; byte < 256; ++byte) {
    const std::string encoded = percent_encoded(std::string(1, static_cast<char>(byte)));
    const bool plain =
        std::isalnum(byte) != 0 ||
        std::string_view("-._~@:").find(static_cast<char>(byte)) != std::string_view::npos;
    CHECK((encoded.size() == 1) == (plain && byte < 128));
  }
}

}  // namespace
}  // namespace claimsd::front_door

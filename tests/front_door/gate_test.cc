// Which users a gate admits.
#include "daemon/front_door/gate.h"

#include "tests/support/catch.h"

namespace claimsd::front_door {
namespace {

bool admits(const std::vector<std::string>& required, const std::vector<std::string_view>& roles) {
  std::string block(proto::claims_block_size("7", "", roles, "{}"), '\0');
  proto::Writer writer(block.data(), block.size());
  REQUIRE(proto::encode_claims(writer, "7", "", roles, "{}"));
  proto::ClaimsView claims;
  REQUIRE(proto::decode_claims(block, claims));
  return Gate{.name = "doctors", .roles = required}.admits(claims);
}

TEST_CASE("a gate admits a user with any of its roles, compared exactly") {
  CHECK(admits({"doctor", "nurse"}, {"clerk", "nurse"}));
  CHECK_FALSE(admits({"doctor"}, {"Doctor", "doctor ", "doctors", "doc"}));
  CHECK_FALSE(admits({"doctor"}, {}));
}

TEST_CASE("a gate without roles admits every valid token") {
  CHECK(admits({}, {}));
  CHECK(admits({}, {"clerk"}));
}

}  // namespace
}  // namespace claimsd::front_door

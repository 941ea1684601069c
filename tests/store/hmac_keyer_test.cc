#include "daemon/store/hmac_keyer.h"

#include <string>

#include "tests/support/catch.h"

using namespace claimsd;
using namespace claimsd::store;
using namespace std::string_literals;

TEST_CASE("a TokenKey is the HMAC of the sized scope and the token") {
  const std::string key(32, 'k');
  auto hmac = crypto::HmacSha256::create(key);
  REQUIRE(hmac);
  const std::string scope = "https://auth.example/api/me/ id email role";
  auto keyer = HmacKeyer::create(Secret(key), {scope, ""});
  REQUIRE(keyer);
  for (const std::size_t size : {0U, 1U, 800U, 8192U}) {
    const std::string token(size, 't');
    CHECK(keyer->key_of(0, token).bytes == hmac->finish("\x2a\0\0\0"s + scope + token));
    CHECK(keyer->key_of(1, token).bytes == hmac->finish("\0\0\0\0"s + token));
  }
}

TEST_CASE("the same token has different keys for different upstreams, scopes and environments") {
  auto keyer = HmacKeyer::create(Secret(std::string(32, 'k')), {"a", "ab"});
  auto other = HmacKeyer::create(Secret(std::string(32, 'o')), {"a"});
  REQUIRE(keyer);
  REQUIRE(other);
  CHECK(keyer->key_of(0, "token") != keyer->key_of(1, "token"));
  CHECK(keyer->key_of(0, "bc") != keyer->key_of(1, "c"));  // equal concatenations, different keys
  CHECK(keyer->key_of(0, "token") != other->key_of(0, "token"));
}

#include <fmt/core.h>
#include <openssl/hmac.h>

#include "daemon/crypto/hmac_sha256.h"
#include "tests/support/catch.h"

using namespace claimsd;
using namespace claimsd::crypto;

namespace {

std::string hex(const HmacSha256::Digest& digest) {
  std::string text;
  for (const std::uint8_t byte : digest) text += fmt::format("{:02x}", byte);
  return text;
}

HmacSha256::Digest by_openssl(const std::string& key, const std::string& message) {
  HmacSha256::Digest digest;
  unsigned size = 0;
  HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()),
       reinterpret_cast<const unsigned char*>(message.data()), message.size(), digest.data(),
       &size);
  return digest;
}

std::string bytes_from(int first, int last) {
  std::string bytes;
  for (int byte = first; byte <= last; ++byte) bytes += static_cast<char>(byte);
  return bytes;
}

}  // namespace

TEST_CASE("HMAC-SHA-256 produces the digests of RFC 4231") {
  const struct {
    std::string key, message, digest;
  } vectors[] = {
      {std::string(20, 0x0b), "Hi There",
       "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"},
      {"Jefe", "what do ya want for nothing?",
       "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"},
      {std::string(20, '\xaa'), std::string(50, '\xdd'),
       "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"},
      {bytes_from(0x01, 0x19), std::string(50, '\xcd'),
       "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b"},
      {std::string(131, '\xaa'), "Test Using Larger Than Block-Size Key - Hash Key First",
       "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"},
      {std::string(131, '\xaa'),
       "This is a test using a larger than block-size key and a larger than block-size data. The "
       "key needs to be hashed before being used by the HMAC algorithm.",
       "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2"},
  };
  for (const auto& vector : vectors) {
    auto hmac = HmacSha256::create(vector.key);
    REQUIRE(hmac);
    CHECK(hex(hmac->finish(vector.message)) == vector.digest);
    CHECK(hex(hmac->finish(vector.message)) == vector.digest);  // the stored states are reusable
  }
}

TEST_CASE("an absorbed prefix is the start of every message") {
  auto hmac = HmacSha256::create("key");
  REQUIRE(hmac);
  hmac->absorb("pre");
  hmac->absorb("fix");
  CHECK(hmac->finish("one") == by_openssl("key", "prefixone"));
  CHECK(hmac->finish("") == by_openssl("key", "prefix"));
  CHECK(hmac->finish("two") == by_openssl("key", "prefixtwo"));
}

TEST_CASE("derived keys differ by key, label and context") {
  const Secret key(std::string(32, 'k'));
  const auto derived = [](const Secret& from, std::string_view label, std::string_view context) {
    auto made = derive_key(from, label, context);
    REQUIRE(made);
    return std::string(made->view());
  };
  const std::string one = derived(key, "label", "context");
  CHECK(one.size() == 32);
  CHECK(derived(key, "label", "context") == one);
  CHECK(derived(Secret(std::string(32, 'o')), "label", "context") != one);
  CHECK(derived(key, "other", "context") != one);
  CHECK(derived(key, "label", "other") != one);
  CHECK(derived(key, "labelc", "ontext") != one);
}

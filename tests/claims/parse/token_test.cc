#include "daemon/claims/parse/token.h"

#include <string>

#include "proto/limits.h"
#include "tests/support/catch.h"

using namespace claimsd;
using namespace claimsd::claims;
using proto::Reason;

TEST_CASE("tokens of real issuers are accepted") {
  CHECK(check_token("a") == Reason::kOk);
  CHECK(check_token("ABCXYZabcxyz0189-._~+/") == Reason::kOk);
  CHECK(check_token("abc=") == Reason::kOk);
  CHECK(check_token("abc==") == Reason::kOk);
  CHECK(check_token("a.b.c") == Reason::kOk);
  CHECK(check_token("1|Wl8hN2") == Reason::kOk);           // Laravel Sanctum
  CHECK(check_token("00D5f000000!AQ4AQ") == Reason::kOk);  // Salesforce
  CHECK(check_token("a:b:c") == Reason::kOk);
  CHECK(check_token("=") == Reason::kOk);
  CHECK(check_token("a=b") == Reason::kOk);
}

TEST_CASE("a token without characters is malformed") {
  CHECK(check_token("") == Reason::kMalformed);
}

TEST_CASE("visible ASCII is accepted and nothing else") {
  for (int byte = 0; byte < 256; ++byte) {
    const char c = static_cast<char>(byte);
    const bool passes = byte > 0x20 && byte < 0x7f;
    const Reason expected = passes ? Reason::kOk : Reason::kMalformed;
    INFO("byte " << byte);
    CHECK(check_token(std::string("x") + c + "y") == expected);
    CHECK(check_token(c + std::string("xy")) == expected);
    CHECK(check_token(std::string("xy") + c) == expected);
  }
}

// The check works on sixteen characters at a time and must not skip any position.
TEST_CASE("one invalid character is found at every position of tokens of every length") {
  for (std::size_t size = 1; size <= 100; ++size) {
    const std::string good(size, 'a');
    REQUIRE(check_token(good) == Reason::kOk);
    for (std::size_t at = 0; at < size; ++at) {
      for (const char wrong : {'\n', ' ', '\0', '\x7f', '\xe1'}) {
        std::string token = good;
        token[at] = wrong;
        INFO("character " << static_cast<int>(wrong) << " at " << at << " of " << size);
        REQUIRE(check_token(token) == Reason::kMalformed);
      }
    }
  }
}

TEST_CASE("line breaks, NUL and spaces are rejected, so no header can be injected") {
  CHECK(check_token("abc\r\nHost: evil\r\n\r\nGET / HTTP/1.1") == Reason::kMalformed);
  CHECK(check_token("abc\n") == Reason::kMalformed);
  CHECK(check_token(std::string_view("abc\0", 4)) == Reason::kMalformed);
  CHECK(check_token("Bearer abc") == Reason::kMalformed);
}

TEST_CASE("a token of 32 KiB is accepted, one byte more is too long") {
  CHECK(check_token(std::string(proto::kMaxToken, 'a')) == Reason::kOk);
  CHECK(check_token(std::string(proto::kMaxToken + 1, 'a')) == Reason::kTooLong);
  CHECK(check_token(std::string(proto::kMaxToken + 1, '\n')) == Reason::kTooLong);
}

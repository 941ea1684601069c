#include "daemon/claims/parse/token.h"

#include <string>

#include "proto/limits.h"
#include "tests/support/catch.h"

using namespace claimsd;
using daemon::check_token;
using proto::Reason;

TEST_CASE("b64token characters pass, padding at the end included") {
  CHECK(check_token("a") == Reason::kOk);
  CHECK(check_token("ABCXYZabcxyz0189-._~+/") == Reason::kOk);
  CHECK(check_token("abc=") == Reason::kOk);
  CHECK(check_token("abc==") == Reason::kOk);
  CHECK(check_token("a.b.c") == Reason::kOk);
}

TEST_CASE("nothing is no token") {
  CHECK(check_token("") == Reason::kMalformed);
  CHECK(check_token("=") == Reason::kMalformed);
  CHECK(check_token("====") == Reason::kMalformed);
}

TEST_CASE("padding in the middle is malformed") {
  CHECK(check_token("a=b") == Reason::kMalformed);
  CHECK(check_token("=a") == Reason::kMalformed);
  CHECK(check_token("a=b=") == Reason::kMalformed);
}

TEST_CASE("of all 256 bytes only those of RFC 6750 may reach a header") {
  const std::string allowed =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~+/";
  REQUIRE(allowed.size() == 68);
  for (int byte = 0; byte < 256; ++byte) {
    const char c = static_cast<char>(byte);
    const bool passes = allowed.find(c) != std::string::npos;
    const Reason expected = passes ? Reason::kOk : Reason::kMalformed;
    INFO("byte " << byte);
    CHECK(check_token(std::string("x") + c + "y") == expected);
    CHECK(check_token(c + std::string("xy")) == expected);
    if (c != '=') CHECK(check_token(std::string("xy") + c) == expected);
  }
}

// Characters are looked at sixteen at a time: none of them may be left out, wherever it stands.
TEST_CASE("one wrong character is found at every place of tokens of every length") {
  for (std::size_t size = 1; size <= 100; ++size) {
    const std::string good(size, 'a');
    REQUIRE(check_token(good) == Reason::kOk);
    for (std::size_t at = 0; at < size; ++at) {
      for (const char wrong : {'\n', ' ', ':', '\x7f', '\xe1'}) {
        std::string token = good;
        token[at] = wrong;
        INFO("character " << static_cast<int>(wrong) << " at " << at << " of " << size);
        REQUIRE(check_token(token) == Reason::kMalformed);
      }
    }
  }
}

TEST_CASE("a second request cannot be smuggled in") {
  CHECK(check_token("abc\r\nHost: evil\r\n\r\nGET / HTTP/1.1") == Reason::kMalformed);
  CHECK(check_token("abc\n") == Reason::kMalformed);
  CHECK(check_token(std::string_view("abc\0", 4)) == Reason::kMalformed);
  CHECK(check_token("Bearer abc") == Reason::kMalformed);
}

TEST_CASE("8 KiB is a token, a byte more is too long, whatever it is made of") {
  CHECK(check_token(std::string(proto::kMaxToken, 'a')) == Reason::kOk);
  CHECK(check_token(std::string(proto::kMaxToken + 1, 'a')) == Reason::kTooLong);
  CHECK(check_token(std::string(proto::kMaxToken + 1, '\n')) == Reason::kTooLong);
}

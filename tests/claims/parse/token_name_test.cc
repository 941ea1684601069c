// The name of a token is the same for all spellings that a verifier may accept, and for no others.
#include "daemon/claims/parse/token_name.h"

#include <string>

#include "tests/support/catch.h"

using claimsd::claims::TokenName;

namespace {

// {"alg":"HS256"}.{"sub":"a"}
const std::string kSigned = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhIn0";
// {"alg":"dir"}, as in a JWE
const std::string kHeader = "eyJhbGciOiJkaXIifQ";

std::string name(const std::string& token) {
  return std::string(TokenName(token).text());
}

}  // namespace

TEST_CASE("a JWS is named by what is signed") {
  for (const char* const signature : {"c2ln", "c2ln=", "c2~ln", "", "x", "c2lo"}) {
    const std::string token = kSigned + "." + signature;
    CHECK(name(token) == kSigned);
    CHECK(TokenName(token).covers_all_spellings());
  }
  CHECK(name("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhIn1.c2ln") != kSigned);
}

TEST_CASE("a header counts as JSON however leniently it decodes") {
  for (const char* const header : {"ICB7fQ",                // white space first
                                   "77u_e30",               // a byte order mark first
                                   "e30=", "~e30", "e~30",  // padding and foreign characters
                                   "e30_w",                 // more after the object
                                   "ewAiAA",                // UTF-16, little-endian
                                   "AHsAIg",                // UTF-16, big-endian
                                   "77u/e30"}) {            // the other alphabet
    CAPTURE(header);
    CHECK(name(std::string(header) + ".cGF5.c2ln") == std::string(header) + ".cGF5");
  }
}

TEST_CASE("any other token is named by its whole text") {
  for (const char* const token : {"opaque", "a.b.c", "W10.cGF5.c2ln", "eyJhIjoxfQ.cGF5", "..",
                                  "e30.a.b.c", "c2VjcmV0.cGF5.c2ln", ""}) {
    CAPTURE(token);
    CHECK(name(token) == token);
    CHECK_FALSE(TokenName(token).covers_all_spellings());
  }
}

TEST_CASE("a JWE is named by the canonical encoding of its parts") {
  const std::string token = kHeader + "..aXY.Y2lwaGVy.dGFn";
  CHECK(name(token) == token);
  CHECK(TokenName(token).covers_all_spellings());
  for (const char* const tail :
       {"..aXY=.Y2lwaGVy.dGFn", "..aXZ.Y2lwaGVy.dGFn", "..a~XY.Y2lwaGVy.dGFn",
        "..aXY.Y2lwaGVy=.dGFn", "..aXY.Y2lwaGVy.dGFn==", "..aXY.Y2lwaGVyA.dGFn"}) {
    CAPTURE(tail);
    CHECK(name(kHeader + tail) == token);
  }
  CHECK(name(kHeader + "..aXY.Y2lwaGVz.dGFn") != token);
  CHECK(name(kHeader + ".aXY..Y2lwaGVy.dGFn") != token);
}

TEST_CASE("text after complete padding is not part of a JWE's part") {
  const std::string token = kHeader + "..aXY.Y2lwaGVy.dGFnYQ";
  CHECK(name(token + "==AAAA") == name(token));
}

#include "daemon/claims/parse/jwt_parser.h"

#include <string>

#include "tests/support/catch.h"
#include "tests/support/service_harness.h"

using namespace claimsd;
using namespace claimsd::claims;
using claimsd::testing::jwt;

namespace {

WallTime at(std::int64_t whole, std::int64_t nanoseconds = 0) {
  return WallTime(seconds(whole) + Duration(nanoseconds));
}

constexpr WallTime kNoExp = WallTime::max();
constexpr WallTime kNoIat = WallTime::min();

WallTime exp_of(const std::string& json_value) {
  return read_jwt_times(jwt("{\"exp\":" + json_value + "}")).expires_at;
}

// Like jwt(), with the given text as the encoded payload.
std::string with_payload_text(std::string_view text) {
  return "e30." + std::string(text) + ".c2ln";
}

}  // namespace

TEST_CASE("exp and iat are parsed") {
  const JwtTimes times = read_jwt_times(jwt(R"({"iat":1700000000,"sub":"x","exp":1700003600})"));
  CHECK(times.expires_at == at(1'700'003'600));
  CHECK(times.issued_at == at(1'700'000'000));
}

TEST_CASE("missing times are reported as none") {
  const JwtTimes times = read_jwt_times(jwt("{}"));
  CHECK(times.expires_at == kNoExp);
  CHECK(times.issued_at == kNoIat);
  CHECK(read_jwt_times(jwt(R"({"exp":5})")).issued_at == kNoIat);
  CHECK(read_jwt_times(jwt(R"({"iat":5})")).expires_at == kNoExp);
  CHECK(read_jwt_times(jwt(R"({"iat":5})")).issued_at == at(5));
}

TEST_CASE("a fractional exp keeps its fraction") {
  CHECK(exp_of("1700003600.5") == at(1'700'003'600, 500'000'000));
  CHECK(exp_of("1700003600.25") == at(1'700'003'600, 250'000'000));
  CHECK(exp_of("1.7e9") == at(1'700'000'000));
  CHECK(exp_of("-0.5") == at(-1, 500'000'000));
}

TEST_CASE("an exp at the edges of its range is parsed exactly") {
  CHECK(exp_of("0") == at(0));
  CHECK(exp_of("-0") == at(0));
  CHECK(exp_of("-1") == at(-1));
  CHECK(exp_of("9223372035") == at(9'223'372'035));  // the second-to-last whole second
}

TEST_CASE("a huge exp counts as none and does not overflow") {
  for (const char* const huge :
       {"9223372036", "9223372037", "9223372036854775807", "9223372036854775808",
        "18446744073709551615", "1e300", "9223372036854775808.5", "9.3e9", "9223372036.5"}) {
    INFO(huge);
    CHECK(exp_of(huge) == kNoExp);
  }
}

TEST_CASE("an exp far in the past does not overflow") {
  for (const char* const past :
       {"-9223372036", "-9223372037", "-9223372036854775808", "-1e300", "-9.3e9"}) {
    INFO(past);
    CHECK(exp_of(past) == WallTime::min());
  }
}

TEST_CASE("a time that is not a number is unreadable") {
  for (const char* const odd : {"null", "true", "[1]", "{\"exp\":1}", "\"\"", "\"x\"", "NaN"}) {
    INFO(odd);
    CHECK(exp_of(odd) == kNoExp);
    CHECK_FALSE(read_jwt_times(jwt(fmt::format("{{\"exp\":{}}}", odd))).readable);
    CHECK_FALSE(read_jwt_times(jwt(fmt::format("{{\"iat\":{}}}", odd))).readable);
  }
}

TEST_CASE("a time in a payload that is not strict JSON is read and rejects nothing") {
  const JwtTimes times = read_jwt_times(jwt(R"({"n":NaN,"exp":100})"));
  CHECK(times.expires_at == at(100));
  CHECK(times.rejected_after() == kNoExp);
  CHECK(read_jwt_times(jwt(R"({"exp":100})")).rejected_after() == at(100));
}

TEST_CASE("of a duplicate time the earlier value counts, in any order and spelling") {
  CHECK(read_jwt_times(jwt(R"({"exp":100,"exp":200})")).expires_at == at(100));
  CHECK(read_jwt_times(jwt(R"({"exp":200,"exp":100})")).expires_at == at(100));
  CHECK(read_jwt_times(jwt(R"({"exp":200,"\u0065xp":100})")).expires_at == at(100));
  CHECK(read_jwt_times(jwt(R"({"exp":200,"exp":null})")).expires_at == at(200));
  CHECK(read_jwt_times(jwt(R"({"iat":200,"iat":100})")).issued_at == at(100));
}

TEST_CASE("a nested exp is ignored") {
  CHECK(read_jwt_times(jwt(R"({"inner":{"exp":100}})")).expires_at == kNoExp);
}

TEST_CASE("a token that is not a JWT has no times") {
  const std::string good = jwt(R"({"exp":100})");
  REQUIRE(read_jwt_times(good).expires_at == at(100));
  const std::string payload = good.substr(good.find('.') + 1, good.rfind('.') - good.find('.') - 1);
  for (const std::string& other :
       {std::string(), std::string("opaque"), std::string("."), std::string(".."),
        std::string("...."), payload, "e30." + payload,
        good + ".more",                            // four parts
        "e30." + payload + ".aXY.Y2lwaGVy.dGFn"})  // JWE: five parts, the second is a key
  {
    INFO(other);
    CHECK(read_jwt_times(other).expires_at == kNoExp);
    CHECK(read_jwt_times(other).issued_at == kNoIat);
  }
}

TEST_CASE("header and signature are not checked") {
  const std::string good = jwt(R"({"exp":100})");
  const std::string middle = good.substr(good.find('.'), good.rfind('.') - good.find('.') + 1);
  CHECK(read_jwt_times(middle).expires_at == at(100));
  CHECK(read_jwt_times("!!" + middle + "!!").expires_at == at(100));
}

TEST_CASE("a payload that is not base64url of one JSON object has no times") {
  CHECK(read_jwt_times(with_payload_text("eyJleHAiOjEwMH0")).expires_at == at(100));
  for (const char* const text : {"eyJleHAiOjEwMH", "eyJleHAiOjEwMH0+", "e", "", "!",
                                 "WzEwMF0" /* [100] */, "MTAw" /* 100 */}) {
    INFO(text);
    CHECK(read_jwt_times(with_payload_text(text)).expires_at == kNoExp);
  }
  CHECK(read_jwt_times(jwt(R"({"exp":100}{"exp":50})")).expires_at == kNoExp);
  CHECK(read_jwt_times(jwt(R"({"exp":100)")).expires_at == kNoExp);
}

TEST_CASE("the base64url characters - and _ are decoded") {
  const std::string token = jwt(R"({"a":"~~~???","exp":100})");
  REQUIRE(token.find("fn5-Pz8_") != std::string::npos);
  CHECK(read_jwt_times(token).expires_at == at(100));
}

TEST_CASE("the exp of a deeply nested payload is parsed") {
  const auto nested = [](std::size_t depth) {
    return jwt("{\"exp\":100,\"a\":" + std::string(depth - 1, '[') + std::string(depth - 1, ']') +
               "}");
  };
  CHECK(read_jwt_times(nested(32)).expires_at == at(100));
  CHECK(read_jwt_times(nested(33)).expires_at == at(100));
  CHECK(read_jwt_times(nested(3000)).expires_at == at(100));
}

TEST_CASE("the exp of a 32 KiB token is parsed") {
  std::string filler(24'000, 'x');
  const std::string token = jwt("{\"filler\":\"" + filler + "\",\"exp\":100}");
  REQUIRE(token.size() > 32'000);
  CHECK(read_jwt_times(token).expires_at == at(100));
}

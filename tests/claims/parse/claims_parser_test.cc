#include "daemon/claims/parse/claims_parser.h"

#include <fmt/core.h>
#include <simdjson.h>

#include <vector>

#include "proto/claims_block.h"
#include "tests/support/catch.h"

using namespace claimsd;
using namespace claimsd::claims;

namespace {

struct Claims {
  std::string id;
  std::string email;
  std::vector<std::string> roles;
  std::string raw;
  bool truncated = false;
  bool compacted = false;
};

Claims claims_of(std::string_view body, const ClaimMapping& mapping = {}) {
  const auto parsed = parse_claims(body, mapping);
  INFO((parsed ? "" : parsed.error().message));
  REQUIRE(parsed);
  proto::ClaimsView view;
  REQUIRE(proto::decode_claims(parsed->block.view(), view));
  Claims claims{std::string(view.id),  std::string(view.email), {},
                std::string(view.raw), parsed->truncated,       parsed->compacted};
  view.roles.each([&](std::string_view role) {
    claims.roles.emplace_back(role);
    return true;
  });
  return claims;
}

// The error for `body`, or "" if it is accepted.
std::string refusal(std::string_view body, const ClaimMapping& mapping = {}) {
  const auto parsed = parse_claims(body, mapping);
  return parsed ? "" : parsed.error().message;
}

ClaimMapping mapping_of(std::string_view id, std::string_view email, std::string_view role) {
  return {.id = ClaimPath::member(id),
          .email = ClaimPath::member(email),
          .roles = {{ClaimPath::member(role), RoleForm::kList}}};
}

std::string with(std::string_view member) {
  return fmt::format(R"({{"id":"u",{}}})", member);
}

std::string nested(std::size_t depth) {
  return with("\"a\":" + std::string(depth - 1, '[') + std::string(depth - 1, ']'));
}

using Roles = std::vector<std::string>;

}  // namespace

TEST_CASE("the contract's claims document is parsed, and kept as it was sent") {
  const std::string body =
      "{ \"id\": \"user-123\",\n\t\"email\": \"tech@example.com\", \"role\": \"rvt\" }\n";
  const Claims claims = claims_of(body);
  CHECK(claims.id == "user-123");
  CHECK(claims.email == "tech@example.com");
  CHECK(claims.roles == Roles{"rvt"});
  CHECK(claims.raw == body);
  CHECK_FALSE(claims.truncated);
  CHECK_FALSE(claims.compacted);
}

TEST_CASE("unknown members are kept in the raw object") {
  const Claims claims =
      claims_of(R"({"id":"u", "clinic": {"name": "a b", "beds": [1, 2.5, null]}})");
  CHECK(claims.raw == R"({"id":"u", "clinic": {"name": "a b", "beds": [1, 2.5, null]}})");
}

TEST_CASE("an id is a non-empty string, or an integer kept as its digits") {
  CHECK(claims_of(R"({"id":42})").id == "42");
  CHECK(claims_of(R"({"id":0})").id == "0");
  CHECK(claims_of(R"({"id":-7})").id == "-7");
  CHECK(claims_of(R"({"id":18446744073709551615})").id == "18446744073709551615");
  CHECK(claims_of(R"({"id":-9223372036854775808})").id == "-9223372036854775808");
  CHECK(claims_of(R"({"id":"\u0041\u00e9"})").id == "Aé");
}

TEST_CASE("any other id is rejected") {
  for (const char* const body :
       {"{}", R"({"ID":"u"})", R"({"id":""})", R"({"id":1.5})", R"({"id":1e3})", R"({"id":1.0})",
        R"({"id":true})", R"({"id":null})", R"({"id":["u"]})", R"({"id":{"id":"u"}})",
        R"({"user":{"id":"u"}})", R"({"id":18446744073709551616})"}) {
    INFO(body);
    CHECK(refusal(body) != "");
  }
}

TEST_CASE("an email that is not a string counts as absent") {
  CHECK(claims_of(R"({"id":"u"})").email == "");
  CHECK(claims_of(with(R"("email":null)")).email == "");
  CHECK(claims_of(with(R"("email":"")")).email == "");
  CHECK(claims_of(with(R"("email":"a@b")")).email == "a@b");
  for (const char* const odd :
       {"1", "false", "[\"a@b\"]", "{\"a\":\"a@b\"}", "\"a\\nb\"", "1e999", "\"\\ud800\""}) {
    INFO(odd);
    const std::string body = with(fmt::format("\"email\":{}", odd));
    CHECK(claims_of(body).email == "");
    CHECK(parse_claims(body, {})->odd_email);
  }
  CHECK_FALSE(parse_claims(with("\"email\":null"), {})->odd_email);
}

TEST_CASE("a role is a string, an array of strings, null or absent") {
  CHECK(claims_of(R"({"id":"u"})").roles.empty());
  CHECK(claims_of(with(R"("role":null)")).roles.empty());
  CHECK(claims_of(with(R"("role":"")")).roles.empty());
  CHECK(claims_of(with(R"("role":[])")).roles.empty());
  CHECK(claims_of(with(R"("role":"rvt")")).roles == Roles{"rvt"});
  CHECK(claims_of(with(R"("role":["rvt","admin"])")).roles == Roles{"rvt", "admin"});
}

TEST_CASE("an invalid role rejects the whole document") {
  for (const char* const odd : {"1", "true", "{}", "{\"rvt\":true}", "[1]", "[\"rvt\",null]",
                                "[[\"rvt\"]]", "[\"rvt\",{}]", "1e999", "[1e999]"}) {
    INFO(odd);
    CHECK(refusal(with(fmt::format("\"role\":{}", odd))) != "");
  }
}

TEST_CASE("a duplicate of a member that is read is rejected in any spelling") {
  for (const char* const body :
       {R"({"id":"a","id":"b"})", R"({"id":"a","id":"a"})", R"({"id":"a","\u0069d":"b"})"}) {
    INFO(body);
    CHECK(refusal(body) == "member \"id\" is there twice");
  }
  CHECK(refusal(R"({"id":"a","role":"b","role":"c"})") != "");
  CHECK(refusal(R"({"id":"a","email":"b","email":"c"})") != "");
}

TEST_CASE("a duplicate of any other member is passed on") {
  for (const char* const body :
       {R"({"id":"a","x":1,"x":2})", R"({"id":"a","x":{"y":1,"z":2,"y":3}})",
        R"({"id":"a","x":[[{"y":1,"y":2}]]})",
        R"({"id":"a","x":{"id":"b"},"y":[{"id":"c"},{"id":"d"}]})"}) {
    INFO(body);
    CHECK(claims_of(body).raw == body);
  }
}

TEST_CASE("control characters are rejected in what is read and passed on elsewhere") {
  std::vector<std::string> controls = {"\\u007f", "\x7f"};
  for (int c = 0; c < 0x20; ++c) controls.push_back(fmt::format("\\u{:04x}", c));
  for (const std::string& c : controls) {
    INFO(c);
    CHECK(refusal(fmt::format(R"({{"id":"a{}"}})", c)) != "");
    CHECK(claims_of(with(fmt::format(R"("email":"a{}b")", c))).email == "");
    CHECK(refusal(with(fmt::format(R"("role":["{}"])", c))) != "");
    CHECK(refusal(with(fmt::format(R"("x{}":1)", c))) == "");
    CHECK(refusal(with(fmt::format(R"("x":{{"y":["z{}"]}})", c))) == "");
    CHECK(refusal(with(fmt::format(R"("x":[{{"{}":1}}])", c))) == "");
  }
  CHECK(refusal("{\"id\":\"a\nb\"}") != "");  // unescaped, which JSON does not allow
  CHECK(refusal(std::string_view("{\"id\":\"a\0b\"}", 12)) != "");
}

TEST_CASE("invalid UTF-8 and lone surrogates are rejected in an id") {
  for (const char* const bytes :
       {"\xff", "\x80", "\xc3", "\xc0\x8a", "\xe0\x80\x8a", "\xed\xa0\x80", "\xf4\x90\x80\x80",
        "\\ud800", "\\udc00", "\\ud800x", "\\udc00\\ud800"}) {
    INFO(bytes);
    CHECK(refusal(fmt::format(R"({{"id":"a{}"}})", bytes)) != "");
  }
  CHECK(claims_of(R"({"id":"\ud83d\ude00"})").id == "😀");
}

TEST_CASE("anything but exactly one JSON object is rejected") {
  for (const char* const body : {"",
                                 " ",
                                 "[]",
                                 "\"id\"",
                                 "1",
                                 "null",
                                 "true",
                                 R"([{"id":"u"}])",
                                 R"({"id":"u"} {"id":"v"})",
                                 R"({"id":"u"}{"id":"v"})",
                                 R"({"id":"u"}x)",
                                 R"({"id":"u"},)",
                                 R"(x{"id":"u"})",
                                 R"({"id":"u")",
                                 R"({"id":"u",})",
                                 R"({"id":"u)",
                                 R"({'id':'u'})",
                                 R"({id:"u"})",
                                 R"({"id":"u","x":nul})",
                                 R"({"id":"u","x":truee})",
                                 R"({"id":"u","x":NaN})",
                                 R"({"id":"u","x":01})",
                                 R"({"id":"u"/**/})",
                                 "\xef\xbb\xbf",
                                 "\xef\xbb\xbf\xef\xbb\xbf{\"id\":\"u\"}"}) {
    INFO(body);
    CHECK(refusal(body) != "");
  }
  CHECK(refusal(std::string_view("{\"id\":\"u\"}\0", 11)) != "");
}

TEST_CASE("a byte order mark before the document is ignored") {
  CHECK(claims_of("\xef\xbb\xbf{\"id\":\"u\"}").id == "u");
  CHECK(claims_of("\xef\xbb\xbf{\"id\":\"u\",\"n\":18446744073709551616}").id == "u");
}

TEST_CASE("nesting of 32 levels is accepted, deeper nesting is rejected") {
  CHECK(refusal(nested(32)) == "");
  CHECK(refusal(nested(33)) != "");
  CHECK(refusal(nested(100'000)) != "");
  CHECK(refusal("{\"id\":\"u\",\"a\":" + std::string(100'000, '[')) != "");
}

TEST_CASE("fields of maximum length are accepted, one byte more is rejected") {
  const auto id = [](std::size_t size) {
    return fmt::format(R"({{"id":"{}"}})", std::string(size, 'i'));
  };
  CHECK(claims_of(id(proto::kMaxId)).id.size() == proto::kMaxId);
  CHECK(refusal(id(proto::kMaxId + 1)) != "");
  const auto email = [](std::size_t size) {
    return with(fmt::format("\"email\":\"{}\"", std::string(size, 'e')));
  };
  CHECK(claims_of(email(proto::kMaxEmail)).email.size() == proto::kMaxEmail);
  CHECK(claims_of(email(proto::kMaxEmail + 1)).email == "");
  const auto role = [](std::size_t size) {
    return with(fmt::format("\"role\":[\"rvt\",\"{}\"]", std::string(size, 'r')));
  };
  CHECK(claims_of(role(proto::kMaxRole)).roles[1].size() == proto::kMaxRole);
  CHECK(refusal(role(proto::kMaxRole + 1)) != "");
  const auto roles = [](std::size_t count) {
    std::string list;
    for (std::size_t i = 0; i < count; ++i) list += fmt::format("{}\"r{}\"", i ? "," : "", i);
    return with("\"role\":[" + list + "]");
  };
  CHECK(claims_of(roles(proto::kMaxRoles)).roles.size() == proto::kMaxRoles);
  CHECK(refusal(roles(proto::kMaxRoles + 1)).find("256 roles") != std::string::npos);
}

TEST_CASE("a document of repeated roles takes no quadratic time") {
  std::string list = "\"r\"";
  for (int i = 0; i < 60'000; ++i)
    list += i % 300 == 0 ? fmt::format(",\"r{}\"", i / 300) : ",\"r\"";
  CHECK(claims_of(with("\"role\":[" + list + "]")).roles.size() == 201);
}

TEST_CASE(
    "a raw object of up to 64 KiB is kept as sent, or without its white space if that is larger") {
  // {"id":"u","x":"..."} takes 17 bytes plus the filler.
  const auto sized = [](std::size_t size) {
    return fmt::format("{{\"id\":\"u\",\n  \"x\":\"{}\"}}", std::string(size - 17, 'x'));
  };
  const Claims whole = claims_of(sized(proto::kMaxRawClaims));
  CHECK(whole.raw.size() == proto::kMaxRawClaims);
  CHECK_FALSE(whole.truncated);
  CHECK(whole.compacted);
  const Claims truncated = claims_of(sized(proto::kMaxRawClaims + 1));
  CHECK(truncated.raw == R"({"id":"u"})");
  CHECK(truncated.truncated);
  const Claims airy = claims_of("{\"id\":" + std::string(200'000, ' ') + "\"u\"}");
  CHECK(airy.raw == R"({"id":"u"})");
  CHECK_FALSE(airy.truncated);
  CHECK(airy.compacted);
  const std::string fits = sized(proto::kMaxRawClaims - 3);
  CHECK(claims_of(fits).raw == fits);
  CHECK_FALSE(claims_of(fits).compacted);
}

TEST_CASE("white space inside a string is kept") {
  CHECK(claims_of(R"({"id":"u", "x": " a \" b "})").raw == R"({"id":"u", "x": " a \" b "})");
}

TEST_CASE("claims over the configured size are truncated to id, email and role as valid JSON") {
  const std::string body =
      fmt::format(R"({{"a":"{}","role":["r\"v\\t", "admin"],"id":18446744073709551615,)"
                  R"("b":{{"id":"other"}},"email":"é\u0022@example.com"}})",
                  std::string(17 * 1024, 'x'));
  CHECK_FALSE(claims_of(body).truncated);
  ClaimMapping mapping;
  mapping.max_raw = 16 * 1024;
  const Claims claims = claims_of(body, mapping);
  CHECK(claims.truncated);
  CHECK(claims.id == "18446744073709551615");
  CHECK(claims.email == "é\"@example.com");
  CHECK(claims.roles == Roles{"r\"v\\t", "admin"});

  simdjson::dom::parser parser;
  simdjson::dom::object object;
  REQUIRE(parser.parse(claims.raw).get(object) == simdjson::SUCCESS);
  CHECK(object.size() == 3);
  CHECK(std::uint64_t(object["id"]) == 18446744073709551615u);
  CHECK(std::string_view(object["email"]) == "é\"@example.com");
  CHECK(std::string_view(object["role"].at(0)) == "r\"v\\t");
  CHECK(std::string_view(object["role"].at(1)) == "admin");
}

TEST_CASE("the longest roles are kept even if all characters need escapes") {
  std::string list;
  const std::size_t count = proto::kMaxRoleBytes / proto::kMaxRole;
  for (std::size_t i = 0; i < count; ++i) {
    list += fmt::format("{}\"{:02}", i == 0 ? "" : ",", i);
    for (std::size_t j = 2; j < proto::kMaxRole; ++j) list += "\\\"";
    list += "\"";
  }
  ClaimMapping mapping;
  mapping.max_raw = 16 * 1024;
  const Claims claims = claims_of(with("\"role\":[" + list + "]"), mapping);
  CHECK(claims.roles.size() == count);
  CHECK(claims.truncated);
  simdjson::dom::parser parser;
  CHECK(parser.parse(claims.raw).error() == simdjson::SUCCESS);
}

TEST_CASE("member names are configurable") {
  const ClaimMapping names = mapping_of("https://example.com/sub", "e.mail/~1", "Rôles");
  const Claims claims = claims_of(
      R"({"id":"wrong","https://example.com/sub":"u","e.mail/~1":"a@b","Rôles":["x"]})", names);
  CHECK(claims.id == "u");
  CHECK(claims.email == "a@b");
  CHECK(claims.roles == Roles{"x"});
}

TEST_CASE(
    "configured members whose names need escapes are parsed, but truncated from the raw object") {
  const ClaimMapping names = mapping_of("i\"d", "e\\mail", "role");
  const std::string members = R"("i\"d":"u","e\\mail":"a@b","role":"x")";
  CHECK(claims_of("{" + members + "}", names).id == "u");
  const Claims claims = claims_of(
      "{" + members + ",\"x\":\"" + std::string(proto::kMaxRawClaims, 'x') + "\"}", names);
  CHECK(claims.id == "u");
  CHECK(claims.email == "a@b");
  CHECK(claims.raw == R"({"role":"x"})");
}

TEST_CASE("one member may serve as both id and email") {
  const ClaimMapping names = mapping_of("email", "email", "role");
  const Claims claims = claims_of(R"({"email":"a@b"})", names);
  CHECK(claims.id == "a@b");
  CHECK(claims.email == "a@b");
}

TEST_CASE("an error names the rule and the member, never a value") {
  for (const char* const body :
       {R"({"id":"","email":"canary"})", R"({"id":"canary","role":{"canary":1}})",
        R"({"id":"canary\n"})", R"({"id":"canary","role":"canary","role":2})",
        R"({"id":"canary"}canary)"}) {
    INFO(body);
    CHECK(refusal(body) != "");
    CHECK(refusal(body).find("canary") == std::string::npos);
  }
  CHECK(refusal(R"({"id":null})").find("\"id\"") != std::string::npos);
  CHECK(refusal("{}", mapping_of("sub", "e", "r")).find("\"sub\"") != std::string::npos);
}

TEST_CASE("each role claim of the mapping that the document has is reported") {
  ClaimMapping mapping;
  mapping.roles = {{ClaimPath::member("a"), RoleForm::kList},
                   {ClaimPath::member("b"), RoleForm::kWords},
                   {*ClaimPath::parse("/c/d"), RoleForm::kKeys}};
  CHECK(parse_claims(R"({"id":"u","b":"x y","c":{"d":{}}})", mapping)->role_claims_found == 0b110);
  CHECK(parse_claims(R"({"id":"u","a":null,"c":{}})", mapping)->role_claims_found == 0);
}

TEST_CASE("what simdjson cannot represent is passed on as received") {
  for (const char* const odd :
       {"18446744073709551616", "-9223372036854775809", "1e999", "-1e999", "1E+400", R"("\ud800")",
        R"("\udfffx")", R"("\ud800\ud800")", R"(["\\ud800",{"\uDC00":[99999999999999999999]}])"}) {
    INFO(odd);
    const std::string body = fmt::format(R"({{"id":"u","x":{},"role":"rvt"}})", odd);
    const Claims claims = claims_of(body);
    CHECK(claims.raw == body);
    CHECK(claims.roles == Roles{"rvt"});
  }
}

TEST_CASE("an invalid number is not tolerated for its size") {
  for (const char* const odd : {"018446744073709551616", "1e999.5", "1.e999", "1e+", "--1e999",
                                "99999999999999999999x", "+99999999999999999999"}) {
    INFO(odd);
    CHECK(refusal(fmt::format(R"({{"id":"u","x":{}}})", odd)) != "");
  }
}

TEST_CASE("a masked value meets no requirement") {
  ClaimMapping mapping;
  for (const auto& value : {RequiredClaim{ClaimPath::member("x"), std::int64_t{0}},
                            RequiredClaim{ClaimPath::member("x"), false},
                            RequiredClaim{ClaimPath::member("x"), std::string()},
                            RequiredClaim{ClaimPath::member("x"), 0.0}}) {
    mapping.require = {value};
    CHECK(refusal(R"({"id":"u","x":1e999})", mapping) != "");
    CHECK(refusal(R"({"id":"u","x":"\ud800"})", mapping) != "");
  }
}

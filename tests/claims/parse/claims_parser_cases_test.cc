// The cases of tests/testdata/, which the Django package reads as well.
#include <fmt/core.h>
#include <simdjson.h>

#include <filesystem>
#include <fstream>
#include <set>

#include "daemon/claims/upstream/response_class.h"
#include "proto/claims_block.h"
#include "tests/support/catch.h"
#include "tests/support/service_harness.h"

using namespace claimsd;
using namespace claimsd::claims;
namespace dom = simdjson::dom;

namespace {

ClaimPath path_from(std::string_view text) {
  auto path = ClaimPath::parse(text);
  INFO(text);
  REQUIRE(path);
  return *path;
}

RoleClaim role_claim_from(dom::element value) {
  if (value.is_string()) return {path_from(std::string_view(value)), RoleForm::kList};
  std::string_view form = "list";
  if (value["form"].get(form) != simdjson::SUCCESS) form = "list";
  return {path_from(std::string_view(value["at"])), form == "words"  ? RoleForm::kWords
                                                    : form == "keys" ? RoleForm::kKeys
                                                                     : RoleForm::kList};
}

std::vector<RequiredClaim> required_from(dom::object object) {
  std::vector<RequiredClaim> all;
  for (const auto& [key, value] : object) {
    RequiredClaim& one = all.emplace_back(RequiredClaim{path_from(key), false});
    if (value.is_bool()) one.value = bool(value);
    if (value.is_int64()) one.value = std::int64_t(value);
    if (value.is_string()) one.value = std::string(std::string_view(value));
    if (value.is_double()) one.value = double(value);
  }
  return all;
}

ClaimMapping mapping_from(dom::element test_case) {
  ClaimMapping mapping;
  dom::object settings;
  if (test_case["settings"].get(settings) != simdjson::SUCCESS) return mapping;
  for (const auto& [key, value] : settings) {
    if (key == "id_claim") mapping.id = path_from(std::string_view(value));
    if (key == "email_claim") mapping.email = path_from(std::string_view(value));
    if (key == "require") mapping.require = required_from(value);
    if (key == "require_token") mapping.require_token = required_from(value);
    if (key != "role_claims") continue;
    mapping.roles.clear();
    for (const dom::element claim : dom::array(value))
      mapping.roles.push_back(role_claim_from(claim));
  }
  return mapping;
}

std::string base64_decoded(std::string_view text) {
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

std::string body_of(dom::element test_case) {
  std::string_view text;
  if (test_case["document_base64"].get(text) == simdjson::SUCCESS) return base64_decoded(text);
  const std::string_view document = test_case["document"];
  std::string body(document);
  std::uint64_t pad = 0;
  if (test_case["pad"].get(pad) == simdjson::SUCCESS)
    body.replace(body.find("@PAD@"), 5, std::string(pad, 'x'));
  return body;
}

std::string token_of(dom::element test_case) {
  std::string_view payload;
  return test_case["token_payload"].get(payload) == simdjson::SUCCESS ? testing::jwt(payload)
                                                                      : "opaque";
}

void check_claims(const ParsedClaims& parsed, dom::element expected) {
  proto::ClaimsView claims;
  REQUIRE(proto::decode_claims(parsed.block.view(), claims));
  std::string_view id;
  if (expected["id"].get(id) != simdjson::SUCCESS) {
    // In a block an integer id is its digits.
    std::int64_t whole = 0;
    CHECK(claims.id == (expected["id"].get(whole) == simdjson::SUCCESS
                            ? fmt::format("{}", whole)
                            : fmt::format("{}", std::uint64_t(expected["id"]))));
  } else {
    CHECK(claims.id == id);
  }
  CHECK(claims.email == std::string_view(expected["email"]));
  std::vector<std::string> roles;
  claims.roles.each([&](std::string_view role) {
    roles.emplace_back(role);
    return true;
  });
  std::vector<std::string> wanted;
  for (const dom::element role : dom::array(expected["roles"]))
    wanted.emplace_back(std::string_view(role));
  CHECK(roles == wanted);
}

void check_case(dom::element test_case) {
  const UpstreamPolicy policy{.name = "main", .mapping = mapping_from(test_case)};
  const std::string token = token_of(test_case);
  const JwtTimes times = read_jwt_times(token);
  JsonBuffers buffers;
  const Judgement judgement =
      judge(testing::status(200, body_of(test_case)), policy, {token, times}, buffers);
  const dom::element expected = test_case["expect"];
  INFO(judgement.detail);
  CHECK(proto::name_of(proto::verdict_of(judgement.reason)) ==
        std::string_view(expected["verdict"]));
  CHECK(proto::name_of(judgement.reason) == std::string_view(expected["reason"]));
  if (judgement.reason == proto::Reason::kOk) check_claims(judgement.claims, expected);
  std::string_view member;
  if (expected["member"].get(member) == simdjson::SUCCESS)
    CHECK(judgement.detail.find(fmt::format("\"{}\"", member)) != std::string::npos);
}

template <class Visit>
std::size_t each_case(const char* directory, Visit&& visit) {
  std::set<std::string> names;
  for (const auto& file :
       std::filesystem::directory_iterator(std::string(CLAIMSD_TESTDATA) + "/" + directory)) {
    if (file.path().extension() != ".json") continue;
    dom::parser parser;
    for (const dom::element test_case : dom::array(parser.load(file.path().string())["cases"])) {
      const std::string name =
          file.path().stem().string() + ": " + std::string(std::string_view(test_case["name"]));
      INFO(name);
      CHECK(names.insert(name).second);
      visit(test_case);
    }
  }
  return names.size();
}

}  // namespace

TEST_CASE("each claims document of the shared cases has its verdict, id, email and roles") {
  CHECK(each_case("documents", check_case) >= 60);
}

TEST_CASE("each token payload of the shared cases has its times") {
  const std::size_t cases = each_case("tokens", [](dom::element test_case) {
    std::string_view token;
    const bool is_token = test_case["token"].get(token) == simdjson::SUCCESS;
    const JwtTimes times = read_jwt_times(is_token ? std::string(token) : token_of(test_case));
    const dom::element expected = test_case["expect"];
    const auto time_of = [&](const char* name, WallTime none) {
      double time = 0;
      return expected[name].get(time) == simdjson::SUCCESS
                 ? WallTime(milliseconds(static_cast<std::int64_t>(time * 1000)))
                 : none;
    };
    CHECK(times.expires_at == time_of("exp", WallTime::max()));
    CHECK(times.issued_at == time_of("iat", WallTime::min()));
    CHECK(times.readable == bool(expected["readable"]));
    CHECK(times.exact == bool(expected["exact"]));
  });
  CHECK(cases >= 20);
}

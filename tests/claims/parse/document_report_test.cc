#include "daemon/claims/parse/document_report.h"

#include <algorithm>

#include "tests/support/catch.h"
#include "tests/support/service_harness.h"

namespace claimsd::claims {
namespace {

// What Keycloak answers from its userinfo endpoint, with the mapper "Add to userinfo" for roles.
constexpr std::string_view kKeycloak = R"({
  "sub": "f7f9c1d4-1b9e-4a53-9c70-3f24d0b7a111", "email_verified": true,
  "realm_access": {"roles": ["offline_access", "rvt"]},
  "resource_access": {"lumen": {"roles": ["editor"]}},
  "preferred_username": "tess", "email": "tess@example.com", "scope": "openid email"})";

RoleClaim role(std::string_view at, RoleForm form = RoleForm::kList) {
  return {*ClaimPath::parse(at), form};
}

const ClaimReport& claim_of(const DocumentReport& report, std::string_view claim) {
  const auto found = std::find_if(report.claims.begin(), report.claims.end(),
                                  [&](const ClaimReport& one) { return one.claim == claim; });
  REQUIRE(found != report.claims.end());
  return *found;
}

std::string what_of(const DocumentReport& report, std::string_view at) {
  for (const MemberReport& member : report.members)
    if (member.at == at) return member.what;
  return "";
}

}  // namespace

TEST_CASE("members are listed with type and size as JSON Pointers") {
  const DocumentReport report = describe_document(kKeycloak, {});
  CHECK(report.is_object);
  CHECK_FALSE(report.cut);
  CHECK(what_of(report, "/sub") == "string of 36 bytes");
  CHECK(what_of(report, "/email_verified") == "boolean");
  CHECK(what_of(report, "/realm_access") == "object of 1 member");
  CHECK(what_of(report, "/realm_access/roles") == "list of 2 strings");
  CHECK(what_of(report, "/resource_access/lumen/roles") == "list of 1 string");
}

TEST_CASE("no value of a document is described") {
  const DocumentReport report = describe_document(
      R"({"id":"canary-1","email":"canary-2","n":777123,"role":["canary-3",{"a":"canary-4"}]})",
      {});
  for (const MemberReport& member : report.members) {
    CHECK(member.what.find("canary") == std::string::npos);
    CHECK(member.what.find("777123") == std::string::npos);
  }
  for (const ClaimReport& claim : report.claims) {
    CHECK(claim.found.find("canary") == std::string::npos);
    CHECK(claim.hint.find("canary") == std::string::npos);
  }
}

TEST_CASE("with the default claims, Keycloak's document gets the options to write") {
  const DocumentReport report = describe_document(kKeycloak, {});
  const ClaimReport& id = claim_of(report, "id");
  CHECK_FALSE(id.good);
  CHECK(id.found == "missing");
  CHECK(id.hint == "write id_claim = \"sub\"");
  CHECK(claim_of(report, "email").good);
  CHECK(claim_of(report, "role").hint ==
        "write role_claims = [{at = \"scope\", form = \"words\"}, \"/realm_access/roles\", "
        "\"/resource_access/lumen/roles\"], or those of them that are roles");
}

TEST_CASE("matching claims are good and need no hint") {
  ClaimMapping mapping;
  mapping.id = ClaimPath::member("sub");
  mapping.roles = {role("/realm_access/roles"), role("/resource_access/lumen/roles"),
                   role("scope", RoleForm::kWords), role("absent")};
  mapping.require = {{ClaimPath::member("email_verified"), true}};
  const DocumentReport report = describe_document(kKeycloak, mapping);
  CHECK(claim_of(report, "sub").good);
  CHECK(claim_of(report, "/realm_access/roles").found == "2 roles");
  CHECK(claim_of(report, "/resource_access/lumen/roles").found == "1 further role");
  CHECK(claim_of(report, "scope").found == "2 further roles");
  CHECK_FALSE(claim_of(report, "absent").good);
  CHECK(claim_of(report, "absent").hint == "");
  CHECK(claim_of(report, "email_verified").found == "has the required value");
}

TEST_CASE("the failed limit or requirement is named") {
  ClaimMapping mapping;
  mapping.require = {{ClaimPath::member("verified"), true}, {ClaimPath::member("absent"), true}};
  std::string roles = "\"r\"";
  for (int i = 0; i < 300; ++i) roles += fmt::format(",\"r{}\"", i);
  const DocumentReport report = describe_document(
      fmt::format(R"({{"id":"{}","verified":false,"role":[{}]}})", std::string(300, 'i'), roles),
      mapping);
  CHECK(claim_of(report, "verified").found == "boolean with another value");
  CHECK(claim_of(report, "absent").found == "missing");
  CHECK(claim_of(report, "id").found == "member \"id\" is longer than 256 bytes");
  CHECK(claim_of(report, "role").found == "member \"role\" lists more than 256 roles");
}

TEST_CASE("for Zitadel's object of roles the hint suggests form = \"keys\"") {
  const DocumentReport report = describe_document(
      R"({"sub":"1","urn:zitadel:iam:org:project:roles":{"admin":{"1":"x"}}})", {});
  CHECK(claim_of(report, "role")
            .hint.find(R"({at = "urn:zitadel:iam:org:project:roles", form = "keys"})") !=
        std::string::npos);
}

TEST_CASE("a document without anything like roles says so") {
  CHECK(claim_of(describe_document(R"({"id":"1"})", {}), "role")
            .hint.find("the document has no roles") == 0);
}

TEST_CASE("a body that is not an object is a problem, not a crash") {
  for (const char* const body : {"", "<html>", "[1]", "null", "{\"id\":1}x"}) {
    INFO(body);
    const DocumentReport report = describe_document(body, {});
    CHECK_FALSE(report.is_object);
    CHECK(report.problem != "");
  }
}

TEST_CASE("a long or deep document is cut") {
  std::string members;
  for (int i = 0; i < 500; ++i) members += fmt::format("\"m{}\":1,", i);
  const DocumentReport report = describe_document("{" + members + "\"id\":1}", {});
  CHECK(report.members.size() == kMaxReportedMembers);
  CHECK(report.cut);
  CHECK(describe_document(R"({"a":{"b":{"c":{"d":{"e":1}}}}})", {}).cut);
}

TEST_CASE("the payload of a token is described for require_token") {
  ClaimMapping mapping;
  mapping.require_token = {{*ClaimPath::parse("/aud"), std::string("lumen")}};
  const DocumentReport report =
      describe_token(testing::jwt(R"({"aud":["account","lumen"],"exp":1})"), mapping);
  CHECK(what_of(report, "/aud") == "list of 2 strings");
  CHECK(claim_of(report, "/aud").good);
  CHECK_FALSE(describe_token("opaque", mapping).is_object);
}

}  // namespace claimsd::claims

// The options that name claims.
#include "daemon/config/load.h"
#include "daemon/config/options.h"
#include "tests/support/catch.h"

namespace claimsd::config {
namespace {

Result<LoadedConfig> loaded(const std::string& lines) {
  return load_config("[upstream.main]\nurl = \"https://a.example\"\n" + lines + "\n", "c.toml");
}

UpstreamConfig upstream_of(const std::string& lines) {
  auto config = loaded(lines);
  INFO((config ? "" : config.error().message));
  REQUIRE(config);
  return config->config.upstreams.at(0);
}

std::string problem_of(const std::string& lines) {
  const auto config = loaded(lines);
  return config ? "" : config.error().message;
}

std::string setting_of(const std::string& lines, std::string_view option) {
  const auto config = loaded(lines);
  REQUIRE(config);
  for (const Setting& setting : config->settings)
    if (setting.option == option) return setting.value;
  return "";
}

}  // namespace

TEST_CASE("text that begins with a slash is a JSON Pointer, any other text is a member's name") {
  CHECK(upstream_of("id_claim = \"user.id\"").id_claim.steps ==
        std::vector<std::string>{"user.id"});
  CHECK(upstream_of("id_claim = \"/user/id\"").id_claim.steps ==
        std::vector<std::string>{"user", "id"});
  CHECK(upstream_of("id_claim = \"/https:~1~1x~0/\"").id_claim.steps ==
        std::vector<std::string>{"https://x~", ""});
  CHECK(upstream_of("email_claim = \"https://a/b\"").email_claim.steps ==
        std::vector<std::string>{"https://a/b"});
}

TEST_CASE("role claims keep their order and form") {
  const auto claims =
      upstream_of(
          R"(role_claims = ["/a/b", "c:d", {at = "scope", form = "words"}, {form = "keys", at = "/r"}, {at = "x"}])")
          .role_claims;
  CHECK(claims == std::vector<RoleClaim>{{*ClaimPath::parse("/a/b"), RoleForm::kList},
                                         {ClaimPath::member("c:d"), RoleForm::kList},
                                         {ClaimPath::member("scope"), RoleForm::kWords},
                                         {*ClaimPath::parse("/r"), RoleForm::kKeys},
                                         {ClaimPath::member("x"), RoleForm::kList}});
  CHECK(upstream_of("role_claims = []").role_claims.empty());
}

TEST_CASE("required values keep their type") {
  const auto required =
      upstream_of(
          R"(require = {"/email_verified" = true, level = 2, weight = 0.5, groups = "staff"})")
          .require;
  CHECK(required.size() == 4);
  for (const RequiredClaim& wanted :
       {RequiredClaim{*ClaimPath::parse("/email_verified"), true},
        RequiredClaim{ClaimPath::member("level"), std::int64_t{2}},
        RequiredClaim{ClaimPath::member("weight"), 0.5},
        RequiredClaim{ClaimPath::member("groups"), std::string("staff")}})
    CHECK(std::find(required.begin(), required.end(), wanted) != required.end());
  CHECK(upstream_of("[upstream.main.require_token]\n\"/aud\" = \"lumen\"").require_token.size() ==
        1);
}

TEST_CASE("a listing shows claims as written") {
  const std::string roles = R"(["/a", {"at" = "scope", "form" = "words"}])";
  CHECK(setting_of("role_claims = " + roles, "upstream.main.role_claims") == roles);
  CHECK(setting_of(R"(require = {"/a" = true})", "upstream.main.require") == R"({"/a" = true})");
  CHECK(setting_of("", "upstream.main.require") == "{}");
}

TEST_CASE("a reload detects another value of the same claim") {
  const auto exact = [](const std::string& lines, std::string_view option) {
    const auto config = loaded(lines);
    REQUIRE(config);
    for (const Setting& setting : config->settings)
      if (setting.option == option) return setting.exact;
    return std::string();
  };
  CHECK(exact("require = {a = 1}", "upstream.main.require") !=
        exact("require = {a = \"1\"}", "upstream.main.require"));
  CHECK(exact("role_claims = [\"a\"]", "upstream.main.role_claims") !=
        exact("role_claims = [{at = \"a\", form = \"keys\"}]", "upstream.main.role_claims"));
}

TEST_CASE("a problem with a claim names file, line, option and an example") {
  struct Row {
    const char* lines;
    const char* says;
  };
  const Row rows[] = {
      {"role_claim = \"groups\"",
       "role_claim: renamed; write upstream.main.role_claims = [\"groups\"]"},
      {"role_claims = \"groups\"", "expected a list such as [\"groups\", \"/realm_access/roles\""},
      {"role_claims = [5]", "write a list such as [\"groups\""},
      {"role_claims = [{form = \"words\"}]", "at is missing: write a list such as"},
      {"role_claims = [{at = \"x\", from = \"words\"}]", "\"from\" is not expected there"},
      {"role_claims = [{at = \"x\", form = \"csv\"}]",
       "form must be \"list\", \"words\" or \"keys\", as in {at ="},
      {"role_claims = [\"/a~2b\"]",
       "\"/a~2b\": \"~\" must be followed by 0 (for ~) or 1 (for /), as in"},
      {"role_claims = [\"a\", {at = \"a\", form = \"keys\"}]", "\"a\" is listed twice: remove one"},
      {"id_claim = \"\"", "must not be empty"},
      {"id_claim = 5", "found 5, expected a claim's name, such as \"sub\", or a JSON Pointer"},
      {"email_claim = \"a\\nb\"", "without control characters"},
      {"require = \"email_verified\"",
       "expected a table of claims and their values, such as {\"/email_verified\" = true}"},
      {"require = {a = [1]}",
       "\"a\" must be a boolean, a number or a string, as in {\"a\" = true}"},
      {"require = {a = 2000-01-01}", "must be a boolean, a number or a string"},
      {"require = {\"/~\" = 1}", "\"~\" must be followed by"},
      {"max_token_bytes = \"33KiB\"", "max_token_bytes: found \"33KiB\", expected 1KiB to 32KiB"},
      {"max_claims_bytes = \"65KiB\"", "max_claims_bytes: found"},
  };
  for (const Row& row : rows) {
    INFO(row.lines);
    CHECK_THAT(problem_of(row.lines), StartsWith("c.toml:3:"));
    CHECK_THAT(problem_of(row.lines), ContainsSubstring("upstream.main."));
    CHECK_THAT(problem_of(row.lines), ContainsSubstring(row.says));
  }
}

TEST_CASE("more than 32 role claims are refused") {
  std::string list = "\"r\"";
  for (int i = 1; i < 32; ++i) list += fmt::format(", \"r{}\"", i);
  CHECK(problem_of("role_claims = [" + list + "]").empty());
  CHECK_THAT(problem_of("role_claims = [" + list + ", \"x\"]"),
             ContainsSubstring("found 33 claims, the maximum is 32"));
}

}  // namespace claimsd::config

#include "daemon/config/renamed_options.h"

#include "daemon/config/load.h"
#include "daemon/config/options.h"
#include "tests/support/catch.h"

namespace claimsd::config {
namespace {

std::string problem_of(const std::string& text) {
  const auto loaded =
      load_config(text + "[upstream.main]\nurl = \"https://a.example\"\n", "c.toml");
  return loaded ? "" : loaded.error().message;
}

TEST_CASE("an option's old name is an error that names the new one") {
  const std::string problem = problem_of("[daemon]\nfast_path = true\n");
  CHECK_THAT(problem, ContainsSubstring("daemon.fast_path: renamed; write daemon.shared_memory"));
  CHECK_THAT(problem_of("[upstream.x]\nurl = \"https://x.example\"\nrefusal_statuses = [403]\n"),
             ContainsSubstring(
                 "upstream.x.refusal_statuses: renamed; write upstream.x.rejection_statuses"));
}

TEST_CASE("an option's old value is an error that names the new one") {
  CHECK_THAT(problem_of("[audit]\nwhen_full = \"deny\"\n"),
             ContainsSubstring("audit.when_full: \"deny\" is renamed; write \"unavailable\""));
}

TEST_CASE("every new name in the table of renamed options is an option, and no old one is") {
  const auto is_option = [](std::string_view path) {
    constexpr std::string_view kAny = "upstream.*.";
    if (path.starts_with(kAny)) {
      for (const auto& row : upstream_rows())
        if (row.option.path == path.substr(kAny.size())) return true;
      return false;
    }
    for (const auto& row : option_rows())
      if (row.option.path == path) return true;
    return false;
  };
  for (const RenamedOption& row : kRenamedOptions) {
    CHECK(is_option(row.path));
    CHECK_FALSE(is_option(row.old_path));
  }
  for (const RenamedValue& row : kRenamedValues) CHECK(is_option(row.path));
}

}  // namespace
}  // namespace claimsd::config

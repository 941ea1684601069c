// The table itself: every row can be parsed, documented and stored.
#include "daemon/config/options.h"

#include <set>

#include "daemon/config/convert.h"
#include "daemon/config/toml_reader.h"
#include "tests/support/catch.h"

using namespace claimsd;
using namespace claimsd::config;

namespace {

std::vector<Option> all_options() {
  std::vector<Option> all;
  for (const auto& row : option_rows()) all.push_back(row.option);
  for (const auto& row : upstream_rows()) all.push_back(row.option);
  return all;
}

Result<Value> convert_text(const Option& option, const std::string& text) {
  const auto root = read_toml("value = " + text);
  REQUIRE(root);
  return convert(option, root->members.at(0).value);
}

}  // namespace

TEST_CASE("every option has help and a default that passes its own check") {
  for (const auto& option : all_options()) {
    INFO(option.path);
    CHECK_FALSE(option.help.empty());
    CHECK_FALSE(option.fallback.empty());
    CHECK(option.min <= option.max);
    CHECK(convert_text(option, std::string(option.fallback)));
  }
}

TEST_CASE("no option is in the table twice") {
  std::set<std::string_view> seen;
  for (const auto& row : option_rows()) CHECK(seen.insert(row.option.path).second);
  seen.clear();
  for (const auto& row : upstream_rows()) CHECK(seen.insert(row.option.path).second);
}

TEST_CASE("every numeric member can hold its row's maximum") {
  // A member too narrow for its row's range would truncate the value. The narrowest member has 32
  // bits.
  for (const auto& option : all_options()) {
    INFO(option.path);
    if (option.type == OptionType::kInteger) CHECK(option.max <= 0xffffffffLL);
    if (option.type == OptionType::kInteger || option.type == OptionType::kSize)
      CHECK(option.min >= 0);
    if (option.type == OptionType::kMode) CHECK(option.max <= 0777);
  }
}

TEST_CASE("every range includes its bounds and nothing beyond") {
  for (const auto& option : all_options()) {
    if (option.type != OptionType::kInteger) continue;
    INFO(option.path);
    CHECK(convert_text(option, std::to_string(option.min)));
    CHECK(convert_text(option, std::to_string(option.max)));
    CHECK_FALSE(convert_text(option, std::to_string(option.min - 1)));
    CHECK_FALSE(convert_text(option, std::to_string(option.max + 1)));
  }
}

TEST_CASE("each type accepts its own kind of value and no other") {
  const std::vector<std::string> literals{"true", "1.5", "2026-11-23", "[[1]]", "{a = 1}", "-1"};
  for (const auto& option : all_options()) {
    for (const auto& literal : literals) {
      if (option.type == OptionType::kBoolean && literal == "true") continue;
      if (option.type == OptionType::kRequired && literal == "{a = 1}") continue;
      INFO(option.path << " = " << literal);
      CHECK_FALSE(convert_text(option, literal));
    }
  }
}

TEST_CASE("the documentation has a row for every option, with its default") {
  const auto text = options_markdown();
  for (const auto& option : all_options()) {
    const auto key = option.path.substr(option.path.rfind('.') + 1);
    INFO(option.path);
    CHECK(text.find("| `" + std::string(key) + "` | `" + std::string(option.fallback) + "` | ") !=
          std::string::npos);
    CHECK(text.find(std::string(option.help)) != std::string::npos);
  }
  for (const auto* section :
       {"daemon", "cache", "limits", "revocations", "audit", "log", "upstream.NAME"}) {
    CHECK(text.find("### `[" + std::string(section) + "]`\n") != std::string::npos);
  }
  CHECK(text.find("is are") == std::string::npos);
}

// Reads the JSON writer's output back with a strict parser.
#include "daemon/base/json_writer.h"

#include <simdjson.h>

#include <limits>

#include "tests/support/catch.h"

namespace claimsd {
namespace {

std::string reread(const std::string& json, const char* key) {
  simdjson::dom::parser parser;
  return std::string(std::string_view(parser.parse(json)[key]));
}

std::string as_value(std::string_view text) {
  return JsonWriter().begin_object().member("v", text).end_object().take();
}

TEST_CASE("nested objects and arrays have correct commas") {
  JsonWriter json;
  json.begin_object().member("a", 1).key("b").begin_array().value("x").value(true).null();
  json.begin_object().end_object().begin_array().end_array().end_array();
  json.key("c").begin_object().member("d", -2).member("e", 0.5).end_object().end_object();
  CHECK(json.text() == R"({"a":1,"b":["x",true,null,{},[]],"c":{"d":-2,"e":0.5}})");
}

TEST_CASE("a member without a value is null") {
  JsonWriter json;
  json.begin_object().member("a", std::optional<int>()).member("b", std::optional(7));
  json.member("c", std::optional(7), [](int number) { return std::to_string(number); });
  CHECK(json.end_object().text() == R"({"a":null,"b":7,"c":"7"})");
}

TEST_CASE("every ASCII character survives a parser") {
  for (int c = 0; c < 128; ++c) {
    const std::string text{'<', static_cast<char>(c), '>'};
    const auto json = as_value(text);
    CAPTURE(c, json);
    CHECK(reread(json, "v") == text);
    CHECK(json.find(c == 0x7F ? '\x7F' : '\n') == std::string::npos);
  }
}

TEST_CASE("UTF-8 is kept, and invalid UTF-8 becomes a replacement character") {
  CHECK(reread(as_value("ä€\U0001F511"), "v") == "ä€\U0001F511");
  const std::string_view broken[] = {"\x80",         "\xC0\xAF",         "\xE0\x80\x80",
                                     "\xED\xA0\x80", "\xF4\x90\x80\x80", "\xFF",
                                     "\xC3",         "\xE2\x82"};
  for (const auto bytes : broken) {
    const auto text = reread(as_value("<" + std::string(bytes) + ">"), "v");
    CHECK(text.substr(0, 4) == "<\xEF\xBF\xBD");
    CHECK(text.back() == '>');
  }
}

TEST_CASE("characters that are not visible are escaped") {
  JsonWriter json;
  json.begin_array().value("a\u202eb").value("\u2028\u200b\u0085");
  json.value("\U000e0041").value("\x7f").end_array();
  CHECK(json.text() == "[\"a\\u202eb\",\"\\u2028\\u200b\\u0085\",\"\\udb40\\udc41\",\"\\u007f\"]");
}

TEST_CASE("a character truncated at the end of a string is not read past the end") {
  const std::string text = "x\xE2\x82\xAC";
  CHECK(reread(as_value(std::string_view(text).substr(0, 3)), "v") == "x\xEF\xBF\xBD\xEF\xBF\xBD");
}

TEST_CASE("numbers without a JSON form are null") {
  JsonWriter json;
  json.begin_array()
      .value(std::numeric_limits<double>::infinity())
      .value(std::numeric_limits<double>::quiet_NaN())
      .value(std::numeric_limits<std::uint64_t>::max())
      .value(std::numeric_limits<std::int64_t>::min())
      .end_array();
  CHECK(json.text() == "[null,null,18446744073709551615,-9223372036854775808]");
}

TEST_CASE("a key is escaped like a value") {
  CHECK(JsonWriter().begin_object().member("a\"b", "\\").end_object().take() == R"({"a\"b":"\\"})");
}

}  // namespace
}  // namespace claimsd

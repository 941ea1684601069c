// json_writer.h: writes JSON (RFC 8259). Owns its text; one thread.
//
// It places the commas. The caller nests: every begin_ needs its end_. Strings may be any bytes:
// control characters are escaped and invalid UTF-8 becomes U+FFFD, so the output is always valid
// JSON. Doubles without a JSON form (NaN, infinities) become null. It is not wiped, so never write
// a token into it.
#pragma once

#include <concepts>
#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace claimsd {

class JsonWriter {
 public:
  JsonWriter& begin_object() { return open('{'); }
  JsonWriter& end_object() { return close('}'); }
  JsonWriter& begin_array() { return open('['); }
  JsonWriter& end_array() { return close(']'); }

  JsonWriter& key(std::string_view name) {
    separate();
    quote(name);
    text_ += ':';
    need_comma_ = false;
    return *this;
  }

  JsonWriter& value(std::string_view text) {
    separate();
    quote(text);
    return *this;
  }
  JsonWriter& value(const char* text) { return value(std::string_view(text)); }
  JsonWriter& value(bool truth) { return raw(truth ? "true" : "false"); }
  template <std::integral Integer>
  JsonWriter& value(Integer number) {
    return raw(std::to_string(number));
  }
  JsonWriter& value(double number);
  JsonWriter& null() { return raw("null"); }

  // `json` must be one valid JSON value. It is written unchanged.
  JsonWriter& raw(std::string_view json) {
    separate();
    text_ += json;
    return *this;
  }

  template <class Value>
  JsonWriter& member(std::string_view name, const Value& content) {
    return key(name).value(content);
  }

  // Null if there is none, otherwise what `as` makes of it.
  template <class Value, class As = std::identity>
  JsonWriter& member(std::string_view name, const std::optional<Value>& content, As as = {}) {
    key(name);
    return content ? value(as(*content)) : null();
  }

  const std::string& text() const { return text_; }
  std::string take() { return std::move(text_); }

 private:
  void separate() {
    if (need_comma_) text_ += ',';
    need_comma_ = true;
  }

  JsonWriter& open(char bracket) {
    separate();
    text_ += bracket;
    need_comma_ = false;
    return *this;
  }

  JsonWriter& close(char bracket) {
    text_ += bracket;
    need_comma_ = true;
    return *this;
  }

  void quote(std::string_view bytes);
  void quote_ascii(char c);
  void escape(char32_t code);

  std::string text_;
  bool need_comma_ = false;
};

}  // namespace claimsd

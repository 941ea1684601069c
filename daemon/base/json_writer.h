// json_writer.h: writes JSON (RFC 8259). Owns its text; one thread.
//
// It places the commas. The caller nests: every begin_ needs its end_. Strings may be any bytes:
// control characters are escaped and invalid UTF-8 becomes U+FFFD, so the output is always valid
// JSON. Doubles without a JSON form (NaN, infinities) become null. It is not wiped, so never write
// a token into it.
#pragma once

#include <fmt/format.h>

#include <cmath>
#include <concepts>
#include <cstdint>
#include <iterator>
#include <string>
#include <string_view>
#include <utility>

namespace claimsd::daemon {

namespace detail {

// Length of the well-formed UTF-8 sequence at the start of `text` (RFC 3629 section 4); 0 if there
// is none.
inline std::size_t utf8_sequence(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const auto within = [&](std::size_t i, unsigned low, unsigned high) {
    return i < text.size() && byte(i) >= low && byte(i) <= high;
  };
  const unsigned lead = byte(0);
  if (lead < 0x80) return 1;
  if (lead >= 0xC2 && lead <= 0xDF) return within(1, 0x80, 0xBF) ? 2 : 0;
  if (lead >= 0xE0 && lead <= 0xEF) {
    const unsigned low = lead == 0xE0 ? 0xA0 : 0x80;
    const unsigned high = lead == 0xED ? 0x9F : 0xBF;  // no surrogates
    return within(1, low, high) && within(2, 0x80, 0xBF) ? 3 : 0;
  }
  if (lead >= 0xF0 && lead <= 0xF4) {
    const unsigned low = lead == 0xF0 ? 0x90 : 0x80;
    const unsigned high = lead == 0xF4 ? 0x8F : 0xBF;  // at most U+10FFFF
    return within(1, low, high) && within(2, 0x80, 0xBF) && within(3, 0x80, 0xBF) ? 4 : 0;
  }
  return 0;
}

}  // namespace detail

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
    separate();
    fmt::format_to(std::back_inserter(text_), "{}", number);
    return *this;
  }
  JsonWriter& value(double number) {
    if (!std::isfinite(number)) return null();
    separate();
    fmt::format_to(std::back_inserter(text_), "{}", number);
    return *this;
  }
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

  void quote(std::string_view bytes) {
    text_ += '"';
    while (!bytes.empty()) {
      const std::size_t size = detail::utf8_sequence(bytes);
      if (size == 0) {
        text_ += "\xEF\xBF\xBD";
      } else if (size == 1) {
        quote_ascii(bytes.front());
      } else {
        text_ += bytes.substr(0, size);
      }
      bytes.remove_prefix(size == 0 ? 1 : size);
    }
    text_ += '"';
  }

  void quote_ascii(char c) {
    if (c == '"' || c == '\\') {
      text_ += '\\';
      text_ += c;
    } else if (c == '\n') {
      text_ += "\\n";
    } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) {
      fmt::format_to(std::back_inserter(text_), "\\u{:04x}", static_cast<unsigned>(c));
    } else {
      text_ += c;
    }
  }

  std::string text_;
  bool need_comma_ = false;
};

}  // namespace claimsd::daemon

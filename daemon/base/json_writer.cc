#include "daemon/base/json_writer.h"

#include <fmt/core.h>

#include <cmath>
#include <iterator>

#include "daemon/base/printable.h"

namespace claimsd {

JsonWriter& JsonWriter::value(double number) {
  return std::isfinite(number) ? raw(fmt::format("{}", number)) : null();
}

void JsonWriter::quote(std::string_view bytes) {
  text_ += '"';
  while (!bytes.empty()) {
    const auto [size, code] = first_character(bytes);
    if (size == 0) {
      text_ += "\xEF\xBF\xBD";
    } else if (size == 1) {
      quote_ascii(bytes.front());
    } else if (is_visible(code)) {
      text_ += bytes.substr(0, size);
    } else {
      escape(code);
    }
    bytes.remove_prefix(size == 0 ? 1 : size);
  }
  text_ += '"';
}

void JsonWriter::quote_ascii(char c) {
  if (c == '"' || c == '\\') {
    text_ += '\\';
    text_ += c;
  } else if (c == '\n') {
    text_ += "\\n";
  } else if (!is_visible(static_cast<unsigned char>(c))) {
    escape(static_cast<unsigned char>(c));
  } else {
    text_ += c;
  }
}

// RFC 8259, section 7: above U+FFFF as a surrogate pair.
void JsonWriter::escape(char32_t code) {
  const auto unit = [this](char32_t value) {
    fmt::format_to(std::back_inserter(text_), "\\u{:04x}", static_cast<unsigned>(value));
  };
  if (code < 0x10000) return unit(code);
  unit(0xd800 + ((code - 0x10000) >> 10U));
  unit(0xdc00 + ((code - 0x10000) & 0x3ffU));
}

}  // namespace claimsd

#include "daemon/base/printable.h"

#include <fmt/core.h>

#include <cstdint>
#include <iterator>

namespace claimsd {
namespace {

struct Character {
  std::size_t size;  // 0: not UTF-8
  char32_t code;
};

// Well-formed sequences of the Unicode Standard, table 3-7: no overlong ones, no surrogates.
Character decode(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<std::uint8_t>(text[i]); };
  const std::uint8_t lead = byte(0);
  if (lead < 0x80) return {1, lead};
  const std::size_t size = lead < 0xc2   ? 0
                           : lead < 0xe0 ? 2
                           : lead < 0xf0 ? 3
                           : lead < 0xf5 ? 4
                                         : 0;
  if (size == 0 || size > text.size()) return {0, 0};
  char32_t code = lead & (0x7fU >> size);
  for (std::size_t i = 1; i < size; ++i) {
    if ((byte(i) & 0xc0U) != 0x80) return {0, 0};
    code = code << 6U | (byte(i) & 0x3fU);
  }
  const bool overlong = (size == 3 && code < 0x800) || (size == 4 && code < 0x10000);
  const bool none = (code >= 0xd800 && code < 0xe000) || code > 0x10ffff;
  if (overlong || none) return {0, 0};
  return {size, code};
}

bool is_harmless(char32_t code) {
  const bool control = code < 0x20 || (code >= 0x7f && code < 0xa0);
  const bool line_break = code == 0x2028 || code == 0x2029;
  const bool direction = code == 0x200e || code == 0x200f || (code >= 0x202a && code <= 0x202e) ||
                         (code >= 0x2066 && code <= 0x2069);
  return !control && !line_break && !direction;
}

}  // namespace

std::string printable(std::string_view text, std::size_t limit) {
  std::string out;
  out.reserve(text.size() < limit ? text.size() : limit);
  for (std::size_t at = 0; at < text.size();) {
    const auto [size, code] = decode(text.substr(at));
    const std::size_t step = size == 0 ? 1 : size;
    if (at + step > limit) return out + "…";
    if (size != 0 && is_harmless(code)) {
      out += text.substr(at, size);
    } else if (code == '\n') {
      out += "\\n";
    } else {
      for (const char c : text.substr(at, step)) {
        fmt::format_to(std::back_inserter(out), "\\x{:02x}", static_cast<std::uint8_t>(c));
      }
    }
    at += step;
  }
  return out;
}

}  // namespace claimsd

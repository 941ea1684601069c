// hex.h: bytes as lower-case hexadecimal digits. Pure; any thread.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace claimsd {

inline constexpr std::string_view kHexDigits = "0123456789abcdef";

inline std::string hex_text(std::string_view bytes) {
  std::string out;
  out.reserve(bytes.size() * 2);
  for (const char c : bytes) {
    const auto byte = static_cast<std::uint8_t>(c);
    out += kHexDigits[byte >> 4U];
    out += kHexDigits[byte & 15U];
  }
  return out;
}

template <std::size_t Size>
std::string hex_text(const std::array<std::uint8_t, Size>& bytes) {
  return hex_text({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
}

// Nothing unless `text` consists of pairs of digits.
inline std::optional<std::string> from_hex(std::string_view text) {
  if (text.size() % 2 != 0) return std::nullopt;
  std::string out;
  for (std::size_t at = 0; at < text.size(); at += 2) {
    const std::size_t high = kHexDigits.find(text[at]);
    const std::size_t low = kHexDigits.find(text[at + 1]);
    if (high == std::string_view::npos || low == std::string_view::npos) return std::nullopt;
    out += static_cast<char>(high << 4U | low);
  }
  return out;
}

// Nothing unless `text` has exactly the digits of `Size` bytes.
template <std::size_t Size>
std::optional<std::array<std::uint8_t, Size>> array_from_hex(std::string_view text) {
  const std::optional<std::string> bytes = from_hex(text);
  if (!bytes || bytes->size() != Size) return std::nullopt;
  std::array<std::uint8_t, Size> array;
  std::copy(bytes->begin(), bytes->end(), array.begin());
  return array;
}

}  // namespace claimsd

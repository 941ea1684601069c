// ascii.h: letters and blanks as protocols compare them (RFC 9110 sections 5.1 and 5.6.3), whatever
// the locale. Pure; any thread.
#pragma once

#include <algorithm>
#include <string_view>

namespace claimsd {

constexpr char ascii_lower(char letter) {
  return letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter - 'A' + 'a') : letter;
}

// A character that is printed: neither a blank nor a control character.
constexpr bool is_visible(char letter) {
  return letter > ' ' && letter <= '~';
}

inline bool has_control_character(std::string_view text) {
  return std::any_of(text.begin(), text.end(),
                     [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

inline bool equals_ignoring_case(std::string_view one, std::string_view other) {
  return std::equal(one.begin(), one.end(), other.begin(), other.end(),
                    [](char a, char b) { return ascii_lower(a) == ascii_lower(b); });
}

// Without spaces and tabs at both ends.
inline std::string_view trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

}  // namespace claimsd

// parse_integer.h: reads a text that is an integer and nothing else. Pure; any thread.
#pragma once

#include <charconv>
#include <optional>
#include <string_view>
#include <system_error>

namespace claimsd {

// Nothing if `text` is empty, has any other character, such as a plus sign or a blank, or does not
// fit. A minus sign is read only if Integer is signed.
template <class Integer>
std::optional<Integer> parse_integer(std::string_view text, int base = 10) {
  Integer value{};
  const char* const end = text.data() + text.size();
  const auto [stopped, error] = std::from_chars(text.data(), end, value, base);
  if (error != std::errc() || stopped != end) return std::nullopt;
  return value;
}

}  // namespace claimsd

// base64.h: the values of base64 digits in both alphabets of RFC 4648. Pure; any thread.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace claimsd::claims {

// The alphabet of URLs (RFC 4648 section 5), which tokens use.
inline constexpr std::string_view kBase64Digits =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

// -1: not a digit.
inline constexpr std::array<std::int8_t, 256> kBase64Values = [] {
  std::array<std::int8_t, 256> table{};
  table.fill(-1);
  for (std::size_t value = 0; value < kBase64Digits.size(); ++value)
    table[static_cast<unsigned char>(kBase64Digits[value])] = static_cast<std::int8_t>(value);
  table['+'] = 62;  // the other alphabet
  table['/'] = 63;
  return table;
}();

}  // namespace claimsd::claims

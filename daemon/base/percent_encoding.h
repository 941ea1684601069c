// percent_encoding.h: percent-encoding (RFC 3986 section 2.1) of everything but unreserved characters
// and those in `also_plain`. Two steps, so that a secret is written into memory of its final size.
// Pure; any thread.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace claimsd {

// Letters, digits, "-", ".", "_" and "~" (RFC 3986 section 2.3).
constexpr bool is_unreserved(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '.' || c == '_' || c == '~';
}

inline std::size_t percent_encoded_size(std::string_view text, std::string_view also_plain = "") {
  std::size_t size = 0;
  for (const char c : text)
    size += is_unreserved(c) || also_plain.find(c) != std::string_view::npos ? 1 : 3;
  return size;
}

// Writes percent_encoded_size() bytes.
inline void percent_encode(std::string_view text, char* out, std::string_view also_plain = "") {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  for (const char c : text) {
    if (is_unreserved(c) || also_plain.find(c) != std::string_view::npos) {
      *out++ = c;
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    *out++ = '%';
    *out++ = kHex[byte >> 4U];
    *out++ = kHex[byte & 15U];
  }
}

// For text that is no secret.
inline std::string percent_encoded(std::string_view text, std::string_view also_plain = "") {
  std::string encoded(percent_encoded_size(text, also_plain), '\0');
  percent_encode(text, encoded.data(), also_plain);
  return encoded;
}

}  // namespace claimsd

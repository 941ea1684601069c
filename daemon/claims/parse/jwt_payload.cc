#include "daemon/claims/parse/jwt_payload.h"

#include <cstdint>
#include <optional>

#include "daemon/claims/parse/base64.h"

namespace claimsd::claims {
namespace {

std::int32_t value_of(char c) {
  return kBase64Values[static_cast<unsigned char>(c)];
}

// Writes at most text.size() * 3 / 4 bytes and returns how many. OpenSSL's decoder requires padding
// (RFC 7515 appendix C).
std::optional<std::size_t> decode_base64(std::string_view text, char* out) {
  std::size_t size = 0;
  // Four characters decode to three bytes.
  for (; text.size() >= 4; text.remove_prefix(4)) {
    const std::int32_t four = (value_of(text[0]) << 18) | (value_of(text[1]) << 12) |
                              (value_of(text[2]) << 6) | value_of(text[3]);
    if (four < 0) break;  // one of the four is no base64
    out[size++] = static_cast<char>((four >> 16) & 0xff);
    out[size++] = static_cast<char>((four >> 8) & 0xff);
    out[size++] = static_cast<char>(four & 0xff);
  }
  std::uint32_t bits = 0;
  int count = 0;
  for (const char c : text) {
    const std::int32_t value = value_of(c);
    if (c == '=') break;
    if (value < 0) continue;
    bits = (bits << 6) | static_cast<std::uint32_t>(value);
    count += 6;
    if (count >= 8) {
      count -= 8;
      out[size++] = static_cast<char>((bits >> count) & 0xff);
    }
  }
  if (count >= 6) return std::nullopt;  // a lone character encodes no byte
  return size;
}

// "" if the token is not a JWS in compact form.
std::string_view payload_of(std::string_view token) {
  const std::size_t first = token.find('.');
  if (first == std::string_view::npos) return {};
  const std::size_t second = token.find('.', first + 1);
  if (second == std::string_view::npos) return {};
  // Five parts: JWE, encrypted.
  if (token.find('.', second + 1) != std::string_view::npos) return {};
  return token.substr(first + 1, second - first - 1);
}

}  // namespace

std::optional<std::size_t> decode_payload(std::string_view token, WipedJson& json) {
  const std::string_view payload = payload_of(token);
  return decode_base64(payload, json.input(payload.size()));
}

}  // namespace claimsd::claims

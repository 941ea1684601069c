#include "daemon/claims/parse/jwt_parser.h"

#include <array>
#include <cmath>
#include <optional>

#include "daemon/claims/parse/json_parser.h"

namespace claimsd::claims {
namespace {

constexpr std::array<std::int8_t, 256> kBase64Url = [] {
  std::array<std::int8_t, 256> table{};
  table.fill(-1);
  std::int8_t value = 0;
  for (const char c :
       std::string_view("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")) {
    table[static_cast<unsigned char>(c)] = value++;
  }
  return table;
}();

// Decodes base64url without padding (RFC 7515 appendix C), which OpenSSL's decoder does not
// support. Writes at most text.size() * 3 / 4 bytes and returns how many.
std::optional<std::size_t> decode_base64url(std::string_view text, char* out) {
  std::size_t size = 0;
  // Four characters decode to three bytes.
  const auto value_of = [](char c) {
    return static_cast<std::int32_t>(kBase64Url[static_cast<unsigned char>(c)]);
  };
  for (; text.size() >= 4; text.remove_prefix(4)) {
    const std::int32_t four = (value_of(text[0]) << 18) | (value_of(text[1]) << 12) |
                              (value_of(text[2]) << 6) | value_of(text[3]);
    if (four < 0) return std::nullopt;  // one of the four was invalid
    out[size++] = static_cast<char>((four >> 16) & 0xff);
    out[size++] = static_cast<char>((four >> 8) & 0xff);
    out[size++] = static_cast<char>(four & 0xff);
  }
  std::uint32_t bits = 0;
  int count = 0;
  for (const char c : text) {
    const std::int8_t value = kBase64Url[static_cast<unsigned char>(c)];
    if (value < 0) return std::nullopt;
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

// The payload of a JWS in compact form: the second of three parts. "" if the token is not one.
std::string_view payload_of(std::string_view token) {
  const std::size_t first = token.find('.');
  if (first == std::string_view::npos) return {};
  const std::size_t second = token.find('.', first + 1);
  if (second == std::string_view::npos) return {};
  // Five parts: JWE, encrypted.
  if (token.find('.', second + 1) != std::string_view::npos) return {};
  return token.substr(first + 1, second - first - 1);
}

// Converts a NumericDate to WallTime, clamped to its range.
std::optional<WallTime> read_numeric_date(const simdjson::dom::element& value) {
  constexpr auto kLastSecond =
      std::chrono::duration_cast<seconds>(WallTime::max().time_since_epoch()).count();
  if (std::int64_t whole = 0; value.get(whole) == simdjson::SUCCESS) {
    if (whole >= kLastSecond) return WallTime::max();
    if (whole <= -kLastSecond) return WallTime::min();
    return WallTime(seconds(whole));
  }
  if (std::uint64_t whole = 0; value.get(whole) == simdjson::SUCCESS) return WallTime::max();
  double real = 0;
  if (value.get(real) != simdjson::SUCCESS) return std::nullopt;
  if (real >= static_cast<double>(kLastSecond)) return WallTime::max();
  if (real <= -static_cast<double>(kLastSecond)) return WallTime::min();
  // Convert seconds and fraction separately: a double holds current times to a quarter of a
  // microsecond, but cannot hold them in nanoseconds.
  const double whole = std::floor(real);
  return WallTime(seconds(static_cast<std::int64_t>(whole)) +
                  Duration(static_cast<std::int64_t>((real - whole) * 1e9)));
}

void keep_earlier(std::optional<WallTime>& kept, std::optional<WallTime> seen) {
  if (seen && (!kept || *seen < *kept)) kept = seen;
}

}  // namespace

JwtTimes read_jwt_times(std::string_view token) {
  JsonBuffers buffers;
  return read_jwt_times(token, buffers);
}

JwtTimes read_jwt_times(std::string_view token, JsonBuffers& buffers) {
  JwtTimes times;
  const std::string_view payload = payload_of(token);
  WipedJson json(buffers);
  const auto size = decode_base64url(payload, json.input(payload.size()));
  if (!size) return times;
  const Result<simdjson::dom::element> root = json.parse(*size);
  simdjson::dom::object claims;
  if (!root || root->get(claims) != simdjson::SUCCESS) return times;

  std::optional<WallTime> expires_at;
  std::optional<WallTime> issued_at;
  for (const auto& [key, value] : claims) {
    if (key == "exp") keep_earlier(expires_at, read_numeric_date(value));
    if (key == "iat") keep_earlier(issued_at, read_numeric_date(value));
  }
  times.expires_at = expires_at.value_or(WallTime::max());
  times.issued_at = issued_at.value_or(WallTime::min());
  return times;
}

}  // namespace claimsd::claims

#include "daemon/claims/parse/token_name.h"

#include <algorithm>
#include <cstdint>
#include <optional>

#include "daemon/claims/parse/base64.h"

namespace claimsd::claims {
namespace {

// Reads the digits that count: foreign characters are skipped, complete padding ends the text.
class Digits {
 public:
  explicit Digits(std::string_view text) : text_(text) {}

  std::optional<std::uint8_t> next() {
    for (; !text_.empty(); text_.remove_prefix(1)) {
      const std::int8_t value = kBase64Values[static_cast<unsigned char>(text_.front())];
      if (value < 0) {
        if (text_.front() == '=' && place_ >= 2 && place_ + ++pads_ >= 4) break;
        continue;
      }
      text_.remove_prefix(1);
      pads_ = 0;
      place_ = (place_ + 1) % 4;
      return static_cast<std::uint8_t>(value);
    }
    text_ = {};
    return std::nullopt;
  }

 private:
  std::string_view text_;
  int place_ = 0;  // in a group of four
  int pads_ = 0;
};

// The first decoded byte that is neither white space nor part of a byte order mark. UTF-16 and
// UTF-32 have zeros there.
std::optional<std::uint8_t> first_byte(std::string_view text) {
  constexpr std::string_view kIgnored("\t\n\r \xef\xbb\xbf\xfe\xff\0", 10);
  Digits digits(text);
  std::uint32_t bits = 0;
  int count = 0;
  while (const auto digit = digits.next()) {
    bits = bits << 6U | *digit;
    count += 6;
    if (count < 8) continue;
    count -= 8;
    const auto byte = static_cast<std::uint8_t>(bits >> static_cast<unsigned>(count));
    if (kIgnored.find(static_cast<char>(byte)) == std::string_view::npos) return byte;
  }
  return std::nullopt;
}

// Encodes a part without unused bits. Writes at most text.size() characters.
std::size_t encode_canonically(std::string_view text, char* out) {
  Digits digits(text);
  std::size_t size = 0;
  std::uint8_t last = 0;
  while (const auto digit = digits.next()) {
    last = *digit;
    out[size++] = kBase64Digits[last];
  }
  switch (size % 4) {
    case 1: return size - 1;  // a lone digit encodes no byte
    case 2: out[size - 1] = kBase64Digits[last & 0x30U]; break;
    case 3: out[size - 1] = kBase64Digits[last & 0x3cU]; break;
    default: break;
  }
  return size;
}

Secret canonical(std::string_view token) {
  Secret encoded(token.size());
  std::size_t size = 0;
  for (std::size_t from = 0; from <= token.size();) {
    const std::size_t to = std::min(token.find('.', from), token.size());
    if (from > 0) encoded.data()[size++] = '.';
    size += encode_canonically(token.substr(from, to - from), encoded.data() + size);
    from = to + 1;
  }
  return Secret(encoded.view().substr(0, size));
}

}  // namespace

TokenName::TokenName(std::string_view token) : spelled_(token) {
  const auto dots = std::count(token.begin(), token.end(), '.');
  if (dots != 2 && dots != 4) return;
  if (first_byte(token.substr(0, token.find('.'))) != std::uint8_t{'{'}) return;
  covers_all_ = true;
  if (dots == 2) {
    spelled_ = token.substr(0, token.rfind('.'));
  } else {
    canonical_ = canonical(token);
  }
}

}  // namespace claimsd::claims

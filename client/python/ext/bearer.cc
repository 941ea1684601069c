#include "client/python/ext/bearer.h"

#include <cstdint>
#include <cstring>

#include "proto/limits.h"

namespace claimsd::python {
namespace {

constexpr std::string_view kScheme = "bearer";
constexpr unsigned char kFirstLeadByteBeyondLatin1 = 0xc4;

constexpr bool between(unsigned char c, unsigned char low, unsigned char high) {
  return static_cast<unsigned char>(c - low) <= high - low;
}

constexpr bool is_alphanumeric(unsigned char c) {
  return between(c | 0x20, 'a', 'z') || between(c, '0', '9');
}

// RFC 7230 3.2.6.
constexpr bool is_token_character(unsigned char c) {
  return is_alphanumeric(c) ||
         std::string_view("!#$%&'*+-.^_`|~").find(static_cast<char>(c)) != std::string_view::npos;
}

// 16 characters at once: every request checks its whole token, often 800 bytes.
using Block = std::uint8_t __attribute__((vector_size(16)));

Block wrong_in(Block c) {
  return reinterpret_cast<Block>(static_cast<Block>(c - '!') > '~' - '!');
}

bool is_visible(std::string_view text) {
  Block wrong{};
  Block block;
  const char* at = text.data();
  std::size_t left = text.size();
  for (; left >= sizeof block; left -= sizeof block, at += sizeof block) {
    std::memcpy(&block, at, sizeof block);
    wrong |= wrong_in(block);
  }
  std::memset(&block, 'a', sizeof block);
  std::memcpy(&block, at, left);
  wrong |= wrong_in(block);
  std::uint64_t halves[2];
  std::memcpy(halves, &wrong, sizeof halves);
  return (halves[0] | halves[1]) == 0;
}

std::string_view stripped(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  // Not substr(), which needs the exceptions of libstdc++.
  return {text.data() + first, text.find_last_not_of(" \t") - first + 1};
}

bool has_scheme(std::string_view header) {
  if (header.size() < kScheme.size()) return false;
  for (std::size_t at = 0; at < kScheme.size(); ++at) {
    if ((header[at] | 0x20) != kScheme[at]) return false;
  }
  return header.size() == kScheme.size() ||
         !is_token_character(static_cast<unsigned char>(header[kScheme.size()]));
}

// No header of any scheme may contain control characters or characters outside Latin-1.
bool is_broken(std::string_view header) {
  for (const char character : header) {
    const auto c = static_cast<unsigned char>(character);
    if ((c < 0x20 && c != '\t') || c == 0x7f || c >= kFirstLeadByteBeyondLatin1) return true;
  }
  return header.empty();
}

}  // namespace

Bearer check_token(std::string_view token) {
  if (token.size() > proto::kMaxToken) return {Bearer::Kind::kTooLong, {}};
  if (token.empty() || !is_visible(token)) return {Bearer::Kind::kMalformed, {}};
  return {Bearer::Kind::kToken, token};
}

Bearer parse_bearer(std::string_view header) {
  const Bearer bearer = split_bearer(header);
  return bearer.kind == Bearer::Kind::kToken ? check_token(bearer.token) : bearer;
}

Bearer split_bearer(std::string_view header) {
  header = stripped(header);
  if (!has_scheme(header)) {
    return {is_broken(header) ? Bearer::Kind::kMalformed : Bearer::Kind::kNotOurs, {}};
  }
  std::string_view rest = header;
  rest.remove_prefix(kScheme.size());
  if (rest.empty() || rest.front() != ' ') return {Bearer::Kind::kMalformed, {}};
  rest.remove_prefix(rest.find_first_not_of(' '));  // there is one: the end was stripped
  return {Bearer::Kind::kToken, rest};
}

}  // namespace claimsd::python

#include "daemon/claims/parse/token.h"

#include <array>
#include <cstdint>
#include <cstring>

#include "proto/limits.h"

namespace claimsd::claims {
namespace {

// Checks sixteen characters at a time with vector types (a GNU extension that g++ and clang
// support). g++ does not vectorize the plain loop, which would take a twentieth of a miss.
constexpr std::size_t kLanes = 16;
using Characters = signed char __attribute__((vector_size(kLanes)));

// All ones for each visible ASCII character. Non-ASCII characters are negative. Keep it short: a
// token has up to fifty vectors.
[[gnu::always_inline]] inline Characters are_visible(Characters c) {
  return (c >= '!') & (c <= '~');
}

Characters load(const char* from, std::size_t size) {
  Characters loaded = Characters{} + 'A';
  std::memcpy(&loaded, from, size);
  return loaded;
}

bool is_all_ones(Characters found) {
  std::array<std::uint64_t, kLanes / sizeof(std::uint64_t)> words{};
  std::memcpy(words.data(), &found, sizeof found);
  return (words[0] & words[1]) == ~std::uint64_t{0};
}

}  // namespace

proto::Reason check_token(std::string_view token) {
  if (token.size() > proto::kMaxToken) return proto::Reason::kTooLong;
  if (token.empty()) return proto::Reason::kMalformed;
  std::string_view rest = token;
  Characters good = are_visible(load(rest.data(), rest.size() % kLanes));
  rest.remove_prefix(rest.size() % kLanes);
  for (; !rest.empty(); rest.remove_prefix(kLanes)) good &= are_visible(load(rest.data(), kLanes));
  return is_all_ones(good) ? proto::Reason::kOk : proto::Reason::kMalformed;
}

}  // namespace claimsd::claims

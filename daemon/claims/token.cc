#include "daemon/claims/token.h"

#include "proto/limits.h"

namespace claimsd::daemon {
namespace {

// Is it one of RFC 6750's b64token before its padding? Comparisons, not a table: the compiler makes
// of them vector instructions.
constexpr bool is_token_character(char c) {
  const auto in = [c](char first, char last) {
    const auto offset = static_cast<unsigned char>(c - first);
    return static_cast<unsigned>(offset <= static_cast<unsigned char>(last - first));
  };
  const auto is = [c](char one) { return static_cast<unsigned>(c == one); };
  return (in('A', 'Z') | in('a', 'z') | in('-', '9') | is('_') | is('~') | is('+')) != 0;
}
static_assert('-' + 1 == '.' && '.' + 1 == '/' && '/' + 1 == '0');

// All of a block is looked at, whatever is found: an exit in between would keep it from being done
// sixteen characters at a time.
constexpr std::size_t kBlock = 64;
bool are_token_characters(const char* block) {
  bool all = true;
  for (std::size_t i = 0; i < kBlock; ++i) all &= is_token_character(block[i]);
  return all;
}

}  // namespace

proto::Reason check_token(std::string_view token) {
  if (token.size() > proto::kMaxToken) return proto::Reason::kTooLong;
  const std::size_t end = token.find_last_not_of('=');
  if (end == std::string_view::npos) return proto::Reason::kMalformed;  // empty, or padding alone
  std::string_view rest = token.substr(0, end + 1);
  bool good = true;
  for (; rest.size() >= kBlock; rest.remove_prefix(kBlock))
    good &= are_token_characters(rest.data());
  for (const char c : rest) good &= is_token_character(c);
  return good ? proto::Reason::kOk : proto::Reason::kMalformed;
}

}  // namespace claimsd::daemon

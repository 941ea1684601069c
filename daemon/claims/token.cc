#include "daemon/claims/token.h"

#include "proto/limits.h"

namespace claimsd::daemon {
namespace {

// The characters of RFC 6750's b64token before its padding.
constexpr std::array<bool, 256> kTokenCharacters = [] {
  std::array<bool, 256> table{};
  for (const char c :
       std::string_view("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~+/")) {
    table[static_cast<unsigned char>(c)] = true;
  }
  return table;
}();

}  // namespace

proto::Reason check_token(std::string_view token) {
  if (token.size() > proto::kMaxToken) return proto::Reason::kTooLong;
  const std::size_t end = token.find_last_not_of('=');
  if (end == std::string_view::npos) return proto::Reason::kMalformed;  // empty, or padding alone
  for (const char c : token.substr(0, end + 1)) {
    if (!kTokenCharacters[static_cast<unsigned char>(c)]) return proto::Reason::kMalformed;
  }
  return proto::Reason::kOk;
}

}  // namespace claimsd::daemon

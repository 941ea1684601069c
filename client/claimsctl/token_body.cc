#include "client/claimsctl/token_body.h"

#include <fmt/core.h>
#include <string.h>  // explicit_bzero(3)

#include <algorithm>
#include <vector>

#include "client/claimsctl/token_input.h"
#include "daemon/base/ascii.h"

namespace claimsd::claimsctl {
namespace {

Problem not_a_token() {
  return {Exit::kUsage, "not_a_token", "the input is not a bearer token (visible ASCII)",
          "pass it exactly as issued, without \"Bearer \""};
}

bool is_token(std::string_view token) {
  return !token.empty() && std::all_of(token.begin(), token.end(), is_visible);
}

bool is_escaped(char c) {
  return c == '"' || c == '\\';
}

}  // namespace

Expected<Secret> token_body(const std::string& file, std::int64_t length) {
  const auto token = read_token(file);
  if (!token) return tl::make_unexpected(token.error());
  if (!is_token(token->view())) return tl::make_unexpected(not_a_token());
  constexpr std::string_view kBefore = R"({"token":")";
  const std::string after = length > 0 ? fmt::format(R"(","for_seconds":{}}})", length) : "\"}";
  std::vector<char> body;
  const std::string_view text = token->view();
  // Enough for all of it: a vector that grows leaves a copy of the token behind.
  body.reserve(kBefore.size() + 2 * text.size() + after.size());
  body.insert(body.end(), kBefore.begin(), kBefore.end());
  for (const char c : text) {
    if (is_escaped(c)) body.push_back('\\');
    body.push_back(c);
  }
  body.insert(body.end(), after.begin(), after.end());
  Secret secret({body.data(), body.size()});
  explicit_bzero(body.data(), body.size());
  return secret;
}

}  // namespace claimsd::claimsctl

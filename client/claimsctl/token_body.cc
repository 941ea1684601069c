#include "client/claimsctl/token_body.h"

#include <fmt/core.h>
#include <string.h>  // explicit_bzero(3)

#include <algorithm>
#include <vector>

#include "client/claimsctl/token_input.h"

namespace claimsd::ctl {
namespace {

Problem not_a_token() {
  return {Exit::kUsage, "not_a_token", "the input is not a bearer token (RFC 6750)",
          "pass it exactly as issued, without \"Bearer \""};
}

// A token has only these characters, and none of them needs escaping in JSON.
bool is_b64token(std::string_view token) {
  return !token.empty() && std::all_of(token.begin(), token.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("-._~+/=").find(c) != std::string_view::npos;
  });
}

}  // namespace

Expected<daemon::Secret> token_body(const std::string& file, std::int64_t length) {
  const auto token = read_token(file);
  if (!token) return tl::make_unexpected(token.error());
  if (!is_b64token(token->view())) return tl::make_unexpected(not_a_token());
  constexpr std::string_view kBefore = R"({"token":")";
  const std::string after = length > 0 ? fmt::format(R"(","for_seconds":{}}})", length) : "\"}";
  std::vector<char> body;
  body.reserve(kBefore.size() + token->view().size() + after.size());
  for (const std::string_view part : {kBefore, token->view(), std::string_view(after)})
    body.insert(body.end(), part.begin(), part.end());
  daemon::Secret secret({body.data(), body.size()});
  explicit_bzero(body.data(), body.size());
  return secret;
}

}  // namespace claimsd::ctl

// The tokens of a history.
#include <fmt/core.h>

#include "proto/limits.h"
#include "tests/sim/simulation.h"
#include "tests/support/service_harness.h"

namespace claimsd::sim {

using namespace claims;
using namespace std::chrono_literals;

namespace {

// Multiples of half a second, which JSON and a double represent exactly.
std::string numeric_date(WallTime at) {
  const auto halves = at.time_since_epoch() / 500ms;
  return fmt::format("{}.{}", halves / 2, halves % 2 == 0 ? 0 : 5);
}

WallTime in_halves(WallTime at) {
  return WallTime(at.time_since_epoch() / 500ms * 500ms);
}

}  // namespace

// Favors a few tokens.
TokenNumber Simulation::popular_token() {
  const auto first = static_cast<std::uint64_t>(dice.below(known.size()));
  const auto second = static_cast<std::uint64_t>(dice.below(known.size()));
  return known[first * second / known.size()];
}

TokenNumber Simulation::new_token(TokenKind kind) {
  const std::size_t number = records.tokens.size();
  const Duration ttl = scenario.policy.ttl.max_ttl;
  const Duration skew = scenario.policy.ttl.clock_skew;
  TokenRecord token;
  token.kind = kind;
  token.user = dice.below(scenario.users);
  token.upstream = static_cast<UpstreamId>(dice.below(scenario.policy.upstreams.size()));
  const WallTime now = clock.now().wall;
  switch (kind) {
    case TokenKind::kJwt:
    case TokenKind::kWithoutIat:
      token.expires_at =
          in_halves(now + dice.between(-skew, dice.percent(50) ? 2 * ttl : 20 * ttl));
      if (kind == TokenKind::kJwt) token.issued_at = in_halves(now - dice.between(0s, 2 * ttl));
      break;
    case TokenKind::kOld: token.expires_at = in_halves(now - skew - dice.between(1s, 1000s)); break;
    case TokenKind::kOpaque: token.text = fmt::format("opaque-{}", number); break;
    case TokenKind::kJunk:
      token.good = false;
      token.text = fmt::format("junk.{}.{}", number, dice.below(1'000'000));
      break;
    case TokenKind::kMalformed: token.text = fmt::format("not a token {}", number); break;
    case TokenKind::kTooLong:
      token.text = fmt::format("{}{}", std::string(proto::kMaxToken, 'x'), number);
      break;
  }
  if (token.expires_at != WallTime::max()) {
    std::string payload =
        fmt::format(R"({{"exp":{},"jti":{})", numeric_date(token.expires_at), number);
    if (token.issued_at != WallTime::min()) payload += ",\"iat\":" + numeric_date(token.issued_at);
    token.text = testing::jwt(payload + "}");
  }
  return records.add_token(std::move(token));
}

}  // namespace claimsd::sim

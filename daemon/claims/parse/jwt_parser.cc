#include "daemon/claims/parse/jwt_parser.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>

#include "daemon/claims/parse/json_parser.h"
#include "daemon/claims/parse/jwt_payload.h"
#include "daemon/claims/parse/jwt_scan.h"
#include "daemon/claims/parse/required_claims.h"

namespace claimsd::claims {
namespace {

namespace dom = simdjson::dom;

// Converts a NumericDate to WallTime, clamped to its range.
std::optional<WallTime> time_of(Element value) {
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
  return numeric_date(real);
}

bool is_quoted(std::string_view text) {
  return text.size() >= 2 && text.front() == '"';
}

// Collects the times of one token.
class Times {
 public:
  void add_exp(std::optional<WallTime> time) { add(expires_at_, time); }
  void add_iat(std::optional<WallTime> time) { add(issued_at_, time); }
  void read_leniently() { times_.exact = false; }

  JwtTimes result() {
    times_.expires_at = expires_at_.value_or(WallTime::max());
    times_.issued_at = issued_at_.value_or(WallTime::min());
    return times_;
  }

 private:
  void add(std::optional<WallTime>& kept, std::optional<WallTime> time) {
    if (!time) {
      times_.readable = false;
    } else if (!kept || *time < *kept) {
      kept = time;
    }
  }

  std::optional<WallTime> expires_at_;
  std::optional<WallTime> issued_at_;
  JwtTimes times_;
};

std::optional<WallTime> time_of(Element value, Times& times) {
  std::string_view text;
  if (value.get(text) != simdjson::SUCCESS) return time_of(value);
  times.read_leniently();
  return read_numeric_date(text);
}

JwtTimes times_of(dom::object claims) {
  Times times;
  for (const auto& [key, value] : claims) {
    if (key == "exp") times.add_exp(time_of(value, times));
    if (key == "iat") times.add_iat(time_of(value, times));
  }
  return times.result();
}

// For a payload that is not strict JSON.
JwtTimes scan_times(std::string_view payload) {
  Times times;
  times.read_leniently();
  const bool is_object = scan_members(payload, [&](std::string_view name, std::string_view value) {
    if (is_quoted(value)) value = value.substr(1, value.size() - 2);
    if (means(name, "exp")) times.add_exp(read_numeric_date(value));
    if (means(name, "iat")) times.add_iat(read_numeric_date(value));
  });
  return is_object ? times.result() : JwtTimes();
}

// Values of "typ" and "token_use" that name no access token: Keycloak's and Cognito's.
bool is_wrong_use(Element value) {
  constexpr std::array<std::string_view, 3> kWrong = {"refresh", "offline", "id"};
  std::string_view text;
  if (value.get(text) != simdjson::SUCCESS) return false;
  return std::any_of(kWrong.begin(), kWrong.end(), [text](std::string_view lower) {
    return std::equal(text.begin(), text.end(), lower.begin(), lower.end(), [](char a, char b) {
      return (a >= 'A' && a <= 'Z' ? static_cast<char>(a - 'A' + 'a') : a) == b;
    });
  });
}

std::string_view wrong_use_of(dom::object claims) {
  constexpr std::array<std::string_view, 2> kNames = {"typ", "token_use"};
  for (const std::string_view name : kNames) {
    int seen = 0;
    for (const auto& [key, value] : claims) {
      if (key == name && (is_wrong_use(value) || ++seen == 2)) return name;
    }
  }
  return {};
}

}  // namespace

JwtTimes read_jwt_times(std::string_view token) {
  JsonBuffers buffers;
  return read_jwt_times(token, buffers);
}

JwtTimes read_jwt_times(std::string_view token, JsonBuffers& buffers) {
  WipedJson json(buffers);
  const std::optional<std::size_t> size = decode_payload(token, json);
  if (!size) return {};
  JwtTimes times;
  dom::object claims;
  Result<Element> root = json.parse(*size);
  if (!root) {
    times = scan_times(json.text(*size));
    root = json.parse_tolerantly(*size);
    if (!root || root->get(claims) != simdjson::SUCCESS) return times;
  } else {
    if (root->get(claims) != simdjson::SUCCESS) return times;
    times = times_of(claims);
  }
  times.wrong_use = wrong_use_of(claims);
  return times;
}

ClaimsResult<void> check_token_claims(std::string_view token, const JwtTimes& times,
                                      const ClaimMapping& mapping, JsonBuffers& buffers) {
  const auto mismatch = [](std::string text) {
    return tl::make_unexpected(ClaimsError(proto::Reason::kClaimMismatch, std::move(text)));
  };
  if (!times.wrong_use.empty())
    return mismatch(fmt::format("member \"{}\" of the token says that it is not an access token",
                                times.wrong_use));
  if (mapping.require_token.empty()) return {};
  WipedJson json(buffers);
  const std::optional<std::size_t> size = decode_payload(token, json);
  const Result<Element> root = size ? json.parse_tolerantly(*size) : failure("no payload");
  if (!root || !root->is_object())
    return mismatch(fmt::format("the token is not a JWT, so it has no member \"{}\"",
                                mapping.require_token.front().at.text));
  if (const RequiredClaim* const missing = TRY(find_mismatch(*root, mapping.require_token)))
    return mismatch(fmt::format("member \"{}\" of the token does not have the required value",
                                missing->at.text));
  return {};
}

}  // namespace claimsd::claims

#include "daemon/claims/parse/cache_headers.h"

#include <algorithm>
#include <charconv>
#include <cstdint>

#include "daemon/base/ascii.h"

namespace claimsd::claims {
namespace {

constexpr seconds kLongest{std::int64_t{1} << 31};  // RFC 9111 section 1.2.2

// Parses delta-seconds; values above kLongest are clamped to it.
std::optional<seconds> read_seconds(std::string_view text) {
  if (text.size() >= 2 && text.front() == '"' && text.back() == '"') {
    text = text.substr(1, text.size() - 2);  // recipients should also accept the quoted form
  }
  if (text.empty() || text.find_first_not_of("0123456789") != std::string_view::npos)
    return std::nullopt;
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || value > static_cast<std::uint64_t>(kLongest.count())) return kLongest;
  return seconds(static_cast<std::int64_t>(value));
}

void shorten(std::optional<seconds>& lifetime, seconds to) {
  lifetime = lifetime ? std::min(*lifetime, to) : to;
}

void apply_directive(std::string_view directive, CacheHeaders& headers) {
  const auto equals = directive.find('=');
  const std::string_view name = trimmed(directive.substr(0, equals));
  const std::string_view value =
      equals == std::string_view::npos ? std::string_view() : trimmed(directive.substr(equals + 1));
  if (equals_ignoring_case(name, "no-store")) headers.no_store = headers.forbids = true;
  if (equals_ignoring_case(name, "no-cache")) {
    shorten(headers.lifetime, seconds(0));
    headers.forbids = true;
  }
  if (equals_ignoring_case(name, "max-age")) {
    const seconds max_age = read_seconds(value).value_or(seconds(0));
    shorten(headers.lifetime, max_age);
    shorten(headers.max_age, max_age);
  }
}

}  // namespace

CacheHeaders read_cache_headers(std::string_view cache_control, std::string_view age,
                                std::string_view vary) {
  CacheHeaders headers;
  while (!cache_control.empty()) {
    const auto comma = cache_control.find(',');
    apply_directive(trimmed(cache_control.substr(0, comma)), headers);
    cache_control = comma == std::string_view::npos ? "" : cache_control.substr(comma + 1);
  }
  if (headers.lifetime) {
    // A malformed Age is ignored (RFC 9111 section 5.1). In a list, the first member counts.
    const seconds spent = read_seconds(trimmed(age.substr(0, age.find(',')))).value_or(seconds(0));
    headers.lifetime = std::max(seconds(0), *headers.lifetime - spent);
    if (headers.max_age) headers.max_age = std::max(seconds(0), *headers.max_age - spent);
  }
  if (vary.find('*') != std::string_view::npos) {
    headers.no_store = true;
    headers.forbids = false;
  }
  return headers;
}

CacheHeaders without_no_store(const CacheHeaders& headers, seconds ttl) {
  if (!headers.forbids || ttl <= seconds(0)) return headers;
  CacheHeaders replaced = headers;
  replaced.no_store = false;
  replaced.lifetime = headers.max_age ? std::min(*headers.max_age, ttl) : ttl;
  return replaced;
}

}  // namespace claimsd::claims

#include "daemon/config/url.h"

#include <fmt/core.h>

#include <algorithm>
#include <charconv>

#include "daemon/base/ascii.h"

namespace claimsd::config {
namespace {

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_hex(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

std::string lower(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(), ascii_lower);
  return out;
}

template <class Check>
void for_each_part(std::string_view text, char separator, Check check) {
  while (true) {
    const auto end = std::min(text.find(separator), text.size());
    check(text.substr(0, end));
    if (end == text.size()) return;
    text.remove_prefix(end + 1);
  }
}

bool is_ipv4(std::string_view host) {
  int parts = 0;
  bool good = true;
  for_each_part(host, '.', [&](std::string_view part) {
    ++parts;
    int number = 256;
    const bool digits =
        !part.empty() && part.size() <= 3 && std::all_of(part.begin(), part.end(), is_digit);
    if (digits) std::from_chars(part.data(), part.data() + part.size(), number);
    // Some parsers read a leading zero as octal (RFC 6943 section 3.1.1).
    good = good && number <= 255 && (part.size() == 1 || part[0] != '0');
  });
  return good && parts == 4;
}

bool is_host_name(std::string_view host) {
  bool good = !host.empty() && host.size() <= 253;
  std::string_view last;
  for_each_part(host, '.', [&](std::string_view label) {
    good = good && !label.empty() && label.size() <= 63 &&
           std::all_of(label.begin(), label.end(), [](char c) {
             return is_digit(c) || (c >= 'a' && c <= 'z') || c == '-' || c == '_';
           });
    last = label;
  });
  // Some resolvers read 127.1, 0x7f.1 and 2130706433 as addresses: the last label must not be a
  // number.
  return good && !last.starts_with("0x") && !std::all_of(last.begin(), last.end(), is_digit);
}

bool is_ipv6(std::string_view host) {
  return host.size() <= 45 && std::count(host.begin(), host.end(), ':') >= 2 &&
         std::all_of(host.begin(), host.end(),
                     [](char c) { return is_hex(c) || c == ':' || c == '.'; });
}

Result<std::uint16_t> parse_port(std::string_view text) {
  std::uint32_t port = 0;
  const bool digits = !text.empty() && text.size() <= 5 && text[0] != '0' &&
                      std::all_of(text.begin(), text.end(), is_digit);
  if (digits) std::from_chars(text.data(), text.data() + text.size(), port);
  if (port == 0 || port > 65535) return failure("has an invalid port: use 1 to 65535");
  return static_cast<std::uint16_t>(port);
}

std::uint16_t default_port(std::string_view scheme) {
  return scheme == "https" ? 443 : 80;
}

constexpr std::string_view kUnixScheme = "http+unix";

// `text` is everything after "http+unix:".
Result<Url> parse_socket_url(std::string_view text) {
  if (text.starts_with("///")) text.remove_prefix(2);
  if (!text.starts_with('/') || text.starts_with("//") || text.size() > kMaxSocketPath)
    return failure("must name a socket by its absolute path, as in http+unix:///run/auth/api.sock");
  if (text.find('%') != std::string_view::npos || text.ends_with('/'))
    return failure("must end in the name of a socket and have no percent signs");
  TRY(check_url_path(text));
  return Url{std::string(kUnixScheme), "", 0, std::string(text)};
}

Status parse_authority(std::string_view authority, Url& url) {
  if (authority.find('@') != std::string_view::npos) {
    return failure("contains a user name or password: remove the part before the @");
  }
  auto colon = authority.rfind(':');
  if (authority.starts_with('[')) {
    const auto end = authority.find(']');
    if (end == std::string_view::npos) return failure("has a [ without a ]");
    url.host = lower(authority.substr(1, end - 1));
    if (!is_ipv6(url.host)) return failure("has no IPv6 address between [ and ]");
    colon = end + 1 == authority.size() ? std::string_view::npos : end + 1;
    if (colon != std::string_view::npos && authority[colon] != ':') {
      return failure("has text after the ] that is not a port");
    }
  } else {
    url.host = lower(authority.substr(0, colon));
    if (!is_ipv4(url.host) && !is_host_name(url.host)) {
      return failure("has no valid host name or address");
    }
  }
  if (colon != std::string_view::npos) url.port = TRY(parse_port(authority.substr(colon + 1)));
  return {};
}

}  // namespace

bool is_loopback_host(std::string_view host) {
  return host == "localhost" || host == "::1" || (is_ipv4(host) && host.starts_with("127."));
}

bool Url::is_loopback() const {
  return scheme == kUnixScheme || is_loopback_host(host);
}

std::string Url::text() const {
  if (scheme == kUnixScheme) return fmt::format("{}://{}", scheme, path);
  const bool bracket = host.find(':') != std::string::npos;
  auto out = fmt::format("{}://{}{}{}", scheme, bracket ? "[" : "", host, bracket ? "]" : "");
  if (port != default_port(scheme)) out += fmt::format(":{}", port);
  return out + path;
}

Status check_url_path(std::string_view path) {
  if (!path.starts_with('/')) return failure("must begin with a slash");
  for (std::size_t i = 0; i < path.size(); ++i) {
    const char c = path[i];
    const bool alone =
        c > ' ' && c < 0x7f && std::string_view("?#%\\\"<>^`{|}").find(c) == std::string_view::npos;
    const bool escape =
        c == '%' && i + 2 < path.size() && is_hex(path[i + 1]) && is_hex(path[i + 2]);
    if (c == '?' || c == '#') return failure("must have no query (?) and no fragment (#)");
    if (!alone && !escape) return failure("has a character that must be written as %XX");
  }
  bool dots = false;
  for_each_part(path, '/', [&](std::string_view segment) {
    auto plain = lower(segment);
    for (auto at = plain.find("%2e"); at != std::string::npos; at = plain.find("%2e")) {
      plain.replace(at, 3, ".");
    }
    dots = dots || plain == "." || plain == "..";
  });
  if (dots) return failure("must have no . or .. between slashes");
  return {};
}

Status check_request_path(std::string_view path) {
  const std::size_t mark = std::min(path.find('?'), path.size());
  TRY(check_url_path(path.substr(0, mark)));
  if (mark == path.size()) return {};
  const std::string_view query = path.substr(mark + 1);
  for (std::size_t i = 0; i < query.size(); ++i) {
    const char c = query[i];
    const bool alone =
        c > ' ' && c < 0x7f && std::string_view("#%\\\"<>^`{|}").find(c) == std::string_view::npos;
    const bool escape =
        c == '%' && i + 2 < query.size() && is_hex(query[i + 1]) && is_hex(query[i + 2]);
    if (!alone && !escape)
      return failure("has a character in its query that must be written as %XX");
  }
  return {};
}

Result<Url> parse_url(std::string_view text) {
  if (text.size() > kMaxUrl) return failure(fmt::format("is longer than {} bytes", kMaxUrl));
  if (lower(text.substr(0, kUnixScheme.size() + 1)) == "http+unix:")
    return parse_socket_url(text.substr(kUnixScheme.size() + 1));
  const auto colon = text.find("://");
  Url url{colon == std::string_view::npos ? "" : lower(text.substr(0, colon)), "", 0, ""};
  if (url.scheme != "http" && url.scheme != "https") {
    return failure(
        R"(must begin with "https://", "http+unix:///", or "http://" for a loopback host)");
  }
  url.port = default_port(url.scheme);
  text.remove_prefix(colon + 3);
  const auto authority = text.substr(0, text.find_first_of("/?#"));
  TRY(parse_authority(authority, url));
  text.remove_prefix(authority.size());
  if (!text.empty() && text[0] != '/') return failure("must have no query (?) and no fragment (#)");
  if (!text.empty()) TRY(check_url_path(text));
  while (text.ends_with('/')) text.remove_suffix(1);
  url.path = text;
  return url;
}

Result<RedisUrl> parse_redis_url(std::string_view text) {
  if (text.size() > kMaxUrl) return failure(fmt::format("is longer than {} bytes", kMaxUrl));
  const auto colon = text.find("://");
  const std::string scheme = colon == std::string_view::npos ? "" : lower(text.substr(0, colon));
  if (scheme != "redis" && scheme != "rediss")
    return failure(R"(must begin with "rediss://", or "redis://" for a loopback host)");
  text.remove_prefix(colon + 3);
  if (text.ends_with('/')) text.remove_suffix(1);
  if (text.find_first_of("/?#") != std::string_view::npos)
    return failure("must end with the host or the port: claimsd uses database 0");
  Url url;
  url.port = 0;
  TRY(parse_authority(text, url));
  if (scheme == "redis" && !is_loopback_host(url.host))
    return failure("must be rediss: redis would expose the password on the network");
  return RedisUrl{.host = std::move(url.host), .port = url.port, .tls = scheme == "rediss"};
}

Result<std::string> normalise_upstream_url(std::string_view text) {
  const auto url = TRY(parse_url(text));
  if (url.scheme != "https" && !url.is_loopback()) {
    return failure("must be https: http would expose the tokens on the network");
  }
  return url.text();
}

Result<std::string> normalise_proxy_url(std::string_view text) {
  const auto url = TRY(parse_url(text));
  if (url.scheme == kUnixScheme) return failure("must be http or https, because it names a proxy");
  if (!url.path.empty()) return failure("must have no path, because it names a proxy");
  return url.text();
}

}  // namespace claimsd::config

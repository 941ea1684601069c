// url.h: validates and normalizes the URLs of Auth APIs, proxies and Redis. Pure; any thread.
//
// Bearer tokens are sent to these URLs, so parsing is stricter than RFC 3986: a URL that two
// parsers could read differently is rejected. Errors never repeat the URL, because it may contain a
// password.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "daemon/base/result.h"

namespace claimsd::config {

inline constexpr std::size_t kMaxUrl = 1024;        // bytes, as on the wire
inline constexpr std::size_t kMaxSocketPath = 107;  // sun_path without its NUL: unix(7)

struct Url {
  std::string scheme;  // "http", "https" or "http+unix"
  std::string host;    // lower case; an IPv6 address without its brackets; "" for http+unix
  std::uint16_t port;
  std::string path;  // "" or "/…", no trailing slash; for http+unix the path of the socket

  // 127.0.0.0/8, ::1, localhost or a Unix socket: the token stays on this host, so plain http is
  // allowed.
  bool is_loopback() const;
  // Scheme and host in lower case, no default port, no trailing slash.
  std::string text() const;
};

Result<Url> parse_url(std::string_view text);

// localhost, 127.0.0.0/8 or ::1; `host` as in a Url.
bool is_loopback_host(std::string_view host);

// The URL of a Redis server or a Sentinel: "rediss://host:port", or redis:// for a loopback host.
struct RedisUrl {
  std::string host;
  std::uint16_t port = 0;  // 0: the default port
  bool tls = false;
};
Result<RedisUrl> parse_redis_url(std::string_view text);

// The normalized URL of an Auth API: parse_url(), plus https unless the host is loopback or a Unix
// socket. A URL
// that a client expects is normalized the same way before it is compared.
Result<std::string> normalise_upstream_url(std::string_view text);

// The same for a proxy, which has no path and may use http: the token inside is protected by TLS to
// the Auth API.
Result<std::string> normalise_proxy_url(std::string_view text);

// A valid URL path: begins with a slash; no query, no dot segments; percent signs as in RFC 3986.
Status check_url_path(std::string_view path);
// The same, optionally followed by a query: a question mark and characters of RFC 3986 section 3.4.
Status check_request_path(std::string_view path);

}  // namespace claimsd::config

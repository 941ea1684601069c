// url.h: which URLs may stand for an Auth API, and the one spelling by which two of them are
// compared. Pure; any thread.
//
// A bearer token goes to these URLs, so they are read more strictly than RFC 3986 asks: what two
// parsers could read in two ways is refused, not interpreted. Errors say what is wrong and never
// repeat the URL: a password may be in it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "daemon/base/result.h"

namespace claimsd::daemon {

inline constexpr std::size_t kMaxUrl = 1024;  // bytes, as on the wire

struct Url {
  std::string scheme;  // "http" or "https"
  std::string host;    // lower case; an IPv6 address without its brackets
  std::uint16_t port;
  std::string path;  // "" or "/…" without a trailing slash

  // 127.0.0.0/8, ::1 or localhost: the token stays on this host, and so may travel in clear.
  bool is_loopback() const;
  // scheme and host in lower case, no default port, no trailing slash.
  std::string text() const;
};

Result<Url> parse_url(std::string_view text);

// The normal spelling of an Auth API's URL: parse_url, and https unless the host is loopback. What
// a client says it expects goes through here too before it is compared.
Result<std::string> normalise_upstream_url(std::string_view text);

// The same for a proxy, which has no path and may speak http: the token inside is under TLS to the
// Auth API.
Result<std::string> normalise_proxy_url(std::string_view text);

// What may stand as a path in a URL: begins with a slash, no query, no dot segments, percent signs
// as RFC 3986 has them.
Status check_url_path(std::string_view path);

}  // namespace claimsd::daemon

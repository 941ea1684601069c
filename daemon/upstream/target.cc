#include "daemon/upstream/target.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <fmt/core.h>

#include <memory>

namespace claimsd::upstream {
namespace {

struct FreeUrl {
  void operator()(CURLU* url) const { curl_url_cleanup(url); }
};
using ParsedUrl = std::unique_ptr<CURLU, FreeUrl>;

std::string part_of(const ParsedUrl& url, CURLUPart part) {
  char* text = nullptr;
  if (curl_url_get(url.get(), part, &text, 0) != CURLUE_OK) return {};
  std::string copy = text;
  curl_free(text);
  return copy;
}

// Messages never contain the URL itself: it may hold a password.
tl::unexpected<Error> refuse(const UpstreamSettings& settings, const char* option,
                             const std::string& why) {
  return failure(fmt::format("upstream.{}.{}: {}", settings.name, option, why));
}

// "localhost" is a name, but curl never resolves it over the network (RFC 6761 section 6.3).
bool is_loopback(std::string host) {
  if (host.size() > 2 && host.front() == '[') host = host.substr(1, host.size() - 2);
  in_addr v4{};
  in6_addr v6{};
  if (inet_pton(AF_INET, host.c_str(), &v4) == 1) return (ntohl(v4.s_addr) >> 24) == 127;
  if (inet_pton(AF_INET6, host.c_str(), &v6) == 1) return IN6_IS_ADDR_LOOPBACK(&v6);
  return host == "localhost";
}

// Parses a URL whose scheme is https or http.
Result<ParsedUrl> parse(const UpstreamSettings& settings, const char* option,
                        const std::string& text) {
  ParsedUrl url(curl_url());
  if (!url || curl_url_set(url.get(), CURLUPART_URL, text.c_str(), 0) != CURLUE_OK) {
    return refuse(settings, option, "invalid URL: write it as https://auth.example.com");
  }
  const std::string scheme = part_of(url, CURLUPART_SCHEME);
  if (scheme != "https" && scheme != "http") {
    return refuse(settings, option, "the scheme must be https or http");
  }
  return url;
}

Status check_proxy(const UpstreamSettings& settings, bool tunnelled) {
  if (settings.proxy.empty()) return {};
  TRY(parse(settings, "proxy", settings.proxy));
  if (!tunnelled) {
    return refuse(
        settings, "proxy",
        "an http upstream would reveal every token to the proxy: use https, or remove the proxy");
  }
  return {};
}

// The path of the socket; "" for other URLs.
std::string socket_of(const std::string& url) {
  constexpr std::string_view kScheme = "http+unix://";
  return url.starts_with(kScheme) ? url.substr(kScheme.size()) : std::string();
}

}  // namespace

Result<Target> check_target(UpstreamSettings settings) {
  Target target;
  target.socket = socket_of(settings.url);
  const std::string base = target.socket.empty() ? settings.url : "http://localhost";
  // Parse it alone first: curl would read "https://" plus a path as a host.
  const ParsedUrl alone = TRY(parse(settings, "url", base));
  if (!settings.path.starts_with('/')) return refuse(settings, "path", "must begin with a slash");
  const ParsedUrl url = TRY(parse(settings, "url", base + settings.path));
  for (const CURLUPart part :
       {CURLUPART_USER, CURLUPART_PASSWORD, CURLUPART_QUERY, CURLUPART_FRAGMENT}) {
    const bool in_path = part == CURLUPART_QUERY && part_of(alone, part).empty();
    if (in_path || part_of(url, part).empty()) continue;
    return refuse(settings, "url", "must not contain a user, a password, a query or a fragment");
  }
  const bool clear = part_of(url, CURLUPART_SCHEME) == "http";
  if (clear && !is_loopback(part_of(url, CURLUPART_HOST))) {
    return refuse(settings, "url",
                  "must be https: http is allowed only for 127.0.0.0/8, ::1 and localhost");
  }
  TRY(check_proxy(settings, !clear));
  if (settings.connections == 0 || settings.timeout <= milliseconds(0)) {
    return refuse(settings, "connections", "connections and timeout must be at least 1");
  }
  if (!target.socket.empty() && !settings.proxy.empty())
    return refuse(settings, "proxy", "a Unix socket is not reached through a proxy: remove it");
  target.ipv4 = target.socket.empty() && part_of(url, CURLUPART_HOST) == "localhost";
  target.url = part_of(url, CURLUPART_URL);
  target.clear = clear;
  target.settings = std::move(settings);
  return target;
}

}  // namespace claimsd::upstream

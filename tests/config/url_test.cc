#include "daemon/config/url.h"

#include "tests/support/catch.h"

using namespace claimsd;
using namespace claimsd::config;

namespace {

std::string normal(std::string_view text) {
  const auto url = normalise_upstream_url(text);
  return url ? *url : "refused: " + url.error().message;
}

bool refused(std::string_view text) {
  return !normalise_upstream_url(text);
}

}  // namespace

TEST_CASE("two spellings of one URL normalize to the same URL") {
  CHECK(normal("https://auth.example.com") == "https://auth.example.com");
  CHECK(normal("HTTPS://Auth.Example.COM:443/") == "https://auth.example.com");
  CHECK(normal("https://auth.example.com:8443//") == "https://auth.example.com:8443");
  CHECK(normal("https://auth.example.com/Base/") == "https://auth.example.com/Base");
  CHECK(normal("http://127.0.0.1:80") == "http://127.0.0.1");
  CHECK(normal("https://[2001:DB8::1]:443/a") == "https://[2001:db8::1]/a");
  CHECK(normal("https://127.0.0.1:80") == "https://127.0.0.1:80");
}

TEST_CASE("normalizing a normalized URL changes nothing") {
  for (const auto* text : {"https://[::1]:8443/x/", "http://LOCALHOST:8000", "https://a.b/c%2Fd"}) {
    const auto once = normal(text);
    CHECK(normal(once) == once);
  }
}

TEST_CASE("http is allowed only for loopback hosts") {
  CHECK(normal("http://localhost:8000") == "http://localhost:8000");
  CHECK(normal("http://127.200.3.4") == "http://127.200.3.4");
  CHECK(normal("http://[::1]:8000/x") == "http://[::1]:8000/x");
  CHECK(normal("http://auth.example.com") ==
        "refused: must be https: http would expose the tokens on the network");
  CHECK(refused("http://10.0.0.1"));
  CHECK(refused("http://localhost.example.com"));
  CHECK(refused("http://127.0.0.1.example.com"));
  CHECK(refused("http://127.example.com"));
  CHECK(refused("http://[::2]"));
  CHECK(refused("http://[::ffff:10.0.0.1]"));
}

TEST_CASE("a password in a URL is rejected and never repeated") {
  const auto url = normalise_upstream_url("https://user:hunter2@auth.example.com");
  REQUIRE_FALSE(url);
  CHECK(url.error().message == "contains a user name or password: remove the part before the @");
  CHECK(refused("http://127.0.0.1@evil.example.com"));
  CHECK(refused("http://127.0.0.1:80@evil.example.com"));
  CHECK(refused("https://a@"));
}

TEST_CASE("a URL that two parsers could read differently is rejected") {
  for (const auto* text : {"",
                           "auth.example.com",
                           "//auth.example.com",
                           "ftp://auth.example.com",
                           "file:///etc/passwd",
                           "https://",
                           "https:///path",
                           "https://a b",
                           "https://a\\@b",
                           "https://a\tb",
                           "https://a\r\nb",
                           "https://a?x=1",
                           "https://a#f",
                           "https://a/?x=1",
                           "https://a/b#f",
                           "https://a:",
                           "https://a:0",
                           "https://a:080",
                           "https://a:65536",
                           "https://a:8x",
                           "https://a..b",
                           "https://a.",
                           "https://.a",
                           "https://ex\xc3\xa4mple.com",
                           "https://2130706433",
                           "https://127.1",
                           "https://0x7f.1",
                           "https://a.0x7f",
                           "https://0177.0.0.1",
                           "https://256.0.0.1",
                           "https://1.2.3.4.5",
                           "https://[::1",
                           "https://[::1]x",
                           "https://[::1%25lo]",
                           "https://[1.2.3.4]",
                           "https://a/../b",
                           "https://a/./b",
                           "https://a/%2e%2E/b",
                           "https://a/.%2e",
                           "https://a/%2",
                           "https://a/%zz",
                           "https://a/{b}"}) {
    INFO(text);
    CHECK(refused(text));
  }
  CHECK(refused("https://" + std::string(300, 'a')));
  CHECK(refused("https://a/" + std::string(kMaxUrl, 'b')));
  CHECK(refused(std::string_view("https://a\0b", 11)));
}

TEST_CASE("a proxy may use http and has no path") {
  CHECK(normalise_proxy_url("http://proxy.example.com:3128/").value() ==
        "http://proxy.example.com:3128");
  CHECK_FALSE(normalise_proxy_url("http://proxy.example.com/x"));
  CHECK_FALSE(normalise_proxy_url("http://user:hunter2@proxy.example.com"));
}

TEST_CASE("a Unix socket is named by its absolute path") {
  CHECK(normal("http+unix:///run/auth/api.sock") == "http+unix:///run/auth/api.sock");
  CHECK(normal("HTTP+UNIX:/run/auth/api.sock") == "http+unix:///run/auth/api.sock");
  for (const auto* text :
       {"http+unix://run/api.sock", "http+unix:", "http+unix:///", "http+unix:////run/x",
        "http+unix:///run/auth/", "http+unix:///run/../x", "http+unix:///run/a%2Fb",
        "http+unix:///run/a b", "http+unix:///run/x?y", "https+unix:///run/x"}) {
    INFO(text);
    CHECK(refused(text));
  }
  CHECK(refused("http+unix:///" + std::string(107, 'x')));
  CHECK_FALSE(normalise_proxy_url("http+unix:///run/proxy.sock"));
}

TEST_CASE("a request path may have a query, an upstream URL may not") {
  CHECK(check_request_path("/api/me/"));
  CHECK(check_request_path("/api/me/?fields=id,email&v=2&x=%20"));
  CHECK(check_request_path("/me?next=/a?b"));
  for (const auto* text : {"/a?b#c", "/a?b c", "/a?b%2", "/a?\"", "/../a?b", "?a=b"}) {
    INFO(text);
    CHECK_FALSE(check_request_path(text));
  }
  CHECK(refused("https://a/b?c=d"));
}

TEST_CASE("a Redis URL is rediss, or redis for a loopback host") {
  const RedisUrl tls = parse_redis_url("rediss://Redis-1.example.com:6380/").value();
  CHECK((tls.host == "redis-1.example.com" && tls.port == 6380 && tls.tls));
  const RedisUrl local = parse_redis_url("redis://[::1]").value();
  CHECK((local.host == "::1" && local.port == 0 && !local.tls));
  for (const auto* text :
       {"redis://redis-1:6379", "redis://10.0.0.1", "http://127.0.0.1", "127.0.0.1:6379",
        "rediss://redis-1/1", "rediss://redis-1?db=1", "rediss://user:hunter2@redis-1",
        "rediss://redis-1:0", "rediss://redis-1:65536", "rediss://", "redis://127.1"}) {
    INFO(text);
    const auto parsed = parse_redis_url(text);
    REQUIRE_FALSE(parsed);
    CHECK(parsed.error().message.find("hunter2") == std::string::npos);
  }
}

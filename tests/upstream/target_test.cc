#include "daemon/upstream/target.h"

#include "tests/support/catch.h"

namespace claimsd::upstream {
namespace {

UpstreamSettings with_url(const std::string& url) {
  UpstreamSettings settings;
  settings.name = "main";
  settings.url = url;
  return settings;
}

TEST_CASE("https is allowed to any host, http only to this host") {
  const std::string url = GENERATE("https://auth.example.com", "https://auth.example.com:8443/base",
                                   "http://127.0.0.1:8000", "http://127.1.2.3",
                                   "http://localhost:8000", "http://[::1]:8000");
  const auto target = check_target(with_url(url));
  REQUIRE(target);
  CHECK(target->clear == url.starts_with("http:"));
  CHECK(target->url.ends_with("/api/me/"));
}

TEST_CASE("http to another host is rejected, so no token leaves this host in the clear") {
  const std::string url =
      GENERATE("http://auth.example.com", "http://10.0.0.1", "http://128.0.0.1", "http://[::2]",
               "http://localhost.example.com", "http://127.0.0.1.example.com", "http://0.0.0.0",
               "http://[::ffff:127.0.0.1]", "http://127.0.0.1@example.com");
  INFO(url);
  CHECK_FALSE(check_target(with_url(url)));
}

TEST_CASE("other schemes and malformed URLs are rejected") {
  const std::string url =
      GENERATE("", "auth.example.com", "ftp://auth.example.com", "file:///etc/passwd", "https://",
               "https://user:secret@auth.example.com",
               "https://auth.example.com/?x=", "https://auth.example.com#x");
  const auto refused = check_target(with_url(url));
  REQUIRE_FALSE(refused);
  CHECK(refused.error().message.starts_with("upstream.main.url: "));
  CHECK(refused.error().message.find("secret") == std::string::npos);
}

TEST_CASE("a proxy requires an https upstream") {
  UpstreamSettings settings = with_url("https://auth.example.com");
  settings.proxy = "http://proxy.example.com:3128";
  CHECK(check_target(settings));
  settings.url = "http://127.0.0.1:8000";
  const auto refused = check_target(settings);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().message.starts_with("upstream.main.proxy: "));
  settings.url = "https://auth.example.com";
  settings.proxy = "socks5://proxy.example.com";
  CHECK_FALSE(check_target(settings));
}

}  // namespace
}  // namespace claimsd::upstream

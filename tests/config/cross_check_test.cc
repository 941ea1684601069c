// Checks that involve several options.
#include "daemon/config/load.h"
#include "tests/support/catch.h"

using namespace claimsd;
using namespace claimsd::config;

namespace {

std::string problems_of(const std::string& text) {
  const auto loaded = load_config(text, "c.toml");
  return loaded ? "none" : loaded.error().message;
}

// The problems of an upstream with a URL and `text`.
std::string upstream_problems(const std::string& text) {
  return problems_of("[upstream.main]\nurl = \"https://auth.example.com\"\n" + text);
}

}  // namespace

TEST_CASE("without an upstream the error shows the lines to add") {
  const std::string wanted =
      "c.toml: no Auth API is configured: add these two lines with its URL:\n"
      "[upstream.main]\nurl = \"https://auth.example.com\"";
  CHECK(problems_of("") == wanted);
  CHECK(problems_of("[log]\nlevel = \"info\"") == wanted);
  CHECK(problems_of("[upstream]") == wanted);
  CHECK(problems_of(wanted.substr(wanted.find('\n') + 1)) == "none");
}

TEST_CASE("the number of map slots must be a power of two") {
  const auto with_slots = [](const std::string& slots) {
    return upstream_problems("[cache]\nmap_slots = " + slots);
  };
  CHECK(with_slots("64") == "none");
  CHECK(with_slots("65536") == "none");
  CHECK(with_slots("1048576") == "none");
  CHECK(with_slots("1000") ==
        "c.toml:4:13: cache.map_slots: 1000 is not a power of two: use 512 or 1024");
  CHECK(with_slots("32").find("64 to 1048576") != std::string::npos);
}

TEST_CASE("an upstream needs a name and a URL") {
  CHECK(problems_of("[upstream]\nurl = \"https://a\"") ==
        "c.toml:2:1: upstream.url: must be a table with a name, as in [upstream.main]");
  CHECK(problems_of("upstream = \"https://a\"") ==
        "c.toml:1:1: upstream: must be tables: write [upstream.NAME] on a line of its own");
  CHECK(problems_of("[upstream.\"a b\"]\nurl = \"https://a\"") ==
        "c.toml:1:11: upstream.a b: invalid name: use 1 to 64 letters, digits, - and _");
  CHECK(problems_of("[upstream.main]")
            .find("upstream.main.url: is not set: add url = \"https://auth.example.com\"") !=
        std::string::npos);
  CHECK(problems_of("[upstream.main]\nurl = \"\"") ==
        "c.toml:2:7: upstream.main.url: is not set: add url = \"https://auth.example.com\"");
}

TEST_CASE("an invalid URL is one problem, not two") {
  CHECK(problems_of("[upstream.main]\nurl = \"http://auth.example.com\"") ==
        "c.toml:2:7: upstream.main.url: the URL must be https: http would expose the tokens on the "
        "network");
}

TEST_CASE("url and urls exclude each other") {
  CHECK(upstream_problems("urls = [\"https://b.example.com\"]") ==
        "c.toml:3:8: upstream.main.urls: url is set as well: remove one of the two");
}

TEST_CASE("two upstreams must not share a URL") {
  CHECK(
      upstream_problems("[upstream.other]\nurl = \"https://AUTH.example.com:443/\"") ==
      "c.toml:4:7: upstream.other.url: upstream.main has the same URL: give each upstream its own");
}

TEST_CASE("at most one upstream is the default, and with several none is required") {
  const std::string second = "[upstream.other]\nurl = \"https://b.example.com\"\n";
  CHECK(upstream_problems("default = true\n" + second + "default = true") ==
        "c.toml:6:11: upstream.other.default: upstream.main is already the default: set default = "
        "true in one upstream only");
  const auto loaded =
      load_config("[upstream.main]\nurl = \"https://a.example.com\"\n" + second, "c.toml");
  REQUIRE(loaded);
  CHECK(loaded->config.default_upstream() == nullptr);
}

TEST_CASE("a client certificate and its key are set together") {
  CHECK(upstream_problems("client_certificate = \"/c\"") ==
        "c.toml:3:22: upstream.main.client_certificate: client_key is missing: set both");
  CHECK(upstream_problems("client_key = \"/k\"") ==
        "c.toml:3:14: upstream.main.client_key: client_certificate is missing: set both");
}

TEST_CASE("a status that says nothing about a token cannot be a rejection") {
  CHECK(
      upstream_problems("rejection_statuses = [429]") ==
      "c.toml:3:22: upstream.main.rejection_statuses: remove 429: it does not mean that the token "
      "is rejected");
  CHECK(
      upstream_problems("rejection_statuses = [503]") ==
      "c.toml:3:22: upstream.main.rejection_statuses: found 503, expected a list of integers, 400 "
      "to 499");
}

TEST_CASE("connect_timeout must not exceed timeout") {
  CHECK(upstream_problems("timeout = \"500ms\"\nconnect_timeout = \"501ms\"") ==
        "c.toml:4:19: upstream.main.connect_timeout: 501 ms is longer than timeout, 500 ms: lower "
        "it or raise timeout");
}

TEST_CASE("the two sockets must have different paths") {
  CHECK(problems_of("[daemon]\nadmin_socket = \"/run/claimsd/claims.sock\"\n[upstream.a]\nurl = "
                    "\"https://a\"") ==
        "c.toml:2:16: daemon.admin_socket: same path as daemon.socket: choose another one");
}

TEST_CASE("introspection needs an endpoint and credentials") {
  const std::string kind = "kind = \"introspection\"\n";
  CHECK(upstream_problems(kind).find("upstream.main.path: is not set") != std::string::npos);
  const std::string path = kind + "path = \"/o/introspect/\"\n";
  CHECK(upstream_problems(path).find("client_id: is not set") != std::string::npos);
  CHECK(upstream_problems(path).find("client_secret_file: is not set") != std::string::npos);
  const std::string id = path + "client_id = \"lumen\"\n";
  CHECK(upstream_problems(id + "client_secret_file = \"/etc/claimsd/secret\"") == "none");
  CHECK(upstream_problems(id + "client_auth = \"certificate\"")
            .find("client_certificate: is not set") != std::string::npos);
  CHECK(upstream_problems(id + "client_auth = \"certificate\"\nclient_certificate = \"/c\"\n"
                               "client_key = \"/k\"") == "none");
  CHECK(upstream_problems(id + "client_secret_file = \"/s\"\nscheme = \"Token\"")
            .find("scheme: is for kind = \"userinfo\"") != std::string::npos);
}

TEST_CASE("options of introspection are rejected for a userinfo endpoint") {
  for (const char* const line :
       {"client_id = \"x\"", "client_secret_file = \"/x\"", "client_auth = \"post\"",
        "audience = \"x\"", "accept_bound = true"}) {
    INFO(line);
    CHECK(upstream_problems(line).find("is for kind = \"introspection\"") != std::string::npos);
  }
}

TEST_CASE("options of the connection must fit its URL") {
  CHECK(upstream_problems("socket_user = \"api\"").find("is for an http+unix URL") !=
        std::string::npos);
  CHECK(upstream_problems("proxy_credentials_file = \"/x\"").find("proxy is not set") !=
        std::string::npos);
  CHECK(upstream_problems("scheme = \"Bearer x\"").find("letters, digits and -") !=
        std::string::npos);
  const std::string socket = "[upstream.main]\nurl = \"http+unix:///run/auth/api.sock\"\n";
  CHECK(problems_of(socket) == "none");
  CHECK(problems_of(socket + "socket_user = \"api\"") == "none");
  CHECK(problems_of(socket + "ca_file = \"/x\"").find("is not used with an http+unix URL") !=
        std::string::npos);
}

// The configuration translated for each component. Most important: no two upstreams share a cache
// entry.
#include "daemon/wiring.h"

#include <functional>

#include "tests/support/catch.h"

using namespace std::chrono_literals;

namespace claimsd::daemon {
namespace {

using config::Config;
using config::UpstreamConfig;

UpstreamConfig two_urls() {
  UpstreamConfig made{};
  made.name = "main";
  made.urls = {"https://a.example", "https://b.example"};
  made.path = "/api/me/";
  made.id_claim = made.email_claim = ClaimPath::member("x");
  made.role_claims = {{ClaimPath::member("x"), RoleForm::kList}};
  made.rejection_statuses = {401};
  return made;
}

std::string scope_of(const UpstreamConfig& upstream) {
  Config config;
  config.upstreams = {upstream};
  return key_scopes_from(config).at(0);
}

struct Field {
  const char* name;
  bool is_input;  // whether an answer depends on it
  std::function<void(UpstreamConfig&)> change;
};

const std::vector<Field> kFields = {
    {"name", true, [](auto& it) { it.name = "y"; }},
    {"urls", true, [](auto& it) { it.urls.pop_back(); }},
    {"path", true, [](auto& it) { it.path = "/y"; }},
    {"timeout", false, [](auto& it) { it.timeout = 9s; }},
    {"connect_timeout", false, [](auto& it) { it.connect_timeout = 9s; }},
    {"ca_file", true, [](auto& it) { it.ca_file = "/y"; }},
    {"client_certificate", true, [](auto& it) { it.client_certificate = "/y"; }},
    {"client_key", true, [](auto& it) { it.client_key = "/y"; }},
    {"id_claim", true, [](auto& it) { it.id_claim = ClaimPath::member("y"); }},
    {"email_claim", true, [](auto& it) { it.email_claim = ClaimPath::member("y"); }},
    {"role_claims", true, [](auto& it) { it.role_claims[0].form = RoleForm::kWords; }},
    {"require", true,
     [](auto& it) {
       it.require = {{ClaimPath::member("y"), true}};
     }},
    {"require_token", true,
     [](auto& it) {
       it.require_token = {{ClaimPath::member("y"), true}};
     }},
    {"max_claims_bytes", true, [](auto& it) { it.max_claims_bytes = 9; }},
    {"max_token_bytes", false, [](auto& it) { it.max_token_bytes = 9; }},
    {"rejection_statuses", true, [](auto& it) { it.rejection_statuses.push_back(403); }},
    {"proxy", true, [](auto& it) { it.proxy = "http://y"; }},
    {"kind", true, [](auto& it) { it.kind = config::UpstreamKind::kIntrospection; }},
    {"client_id", true, [](auto& it) { it.client_id = "y"; }},
    {"client_secret_file", true, [](auto& it) { it.client_secret_file = "/y"; }},
    {"client_auth", true, [](auto& it) { it.client_auth = config::ClientAuth::kPost; }},
    {"audience", true, [](auto& it) { it.audience = "y"; }},
    {"accept_bound", true, [](auto& it) { it.accept_bound = true; }},
    {"scheme", true, [](auto& it) { it.scheme = "y"; }},
    {"request_header_file", true, [](auto& it) { it.request_header_file = "/y"; }},
    {"proxy_credentials_file", true, [](auto& it) { it.proxy_credentials_file = "/y"; }},
    {"socket_user", true, [](auto& it) { it.socket_user = "y"; }},
    {"connection_max_age", false, [](auto& it) { it.connection_max_age = 9s; }},
    {"dns_cache", false, [](auto& it) { it.dns_cache = 9s; }},
    {"no_store_ttl", true, [](auto& it) { it.no_store_ttl = 9s; }},
    {"is_default", false, [](auto& it) { it.is_default = true; }},
    {"http2", false, [](auto& it) { it.http2 = true; }},
    {"connections", false, [](auto& it) { it.connections = 9; }},
};

}  // namespace

TEST_CASE("everything that an answer depends on is in its key scope") {
  // Does not compile after a field is added: decide whether it is an input, and add it to kFields.
  const UpstreamConfig one = two_urls();
  const auto& [f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15, f16, f17, f18, f19,
               f20, f21, f22, f23, f24, f25, f26, f27, f28, f29, f30, f31, f32, f33] = one;
  static_cast<void>(f1);
  REQUIRE(kFields.size() == 33);
  for (const Field& field : kFields) {
    INFO(field.name);
    UpstreamConfig changed = two_urls();
    field.change(changed);
    CHECK((scope_of(changed) != scope_of(two_urls())) == field.is_input);
  }
}

TEST_CASE("different lists of parts never produce the same key scope") {
  UpstreamConfig one = two_urls();
  one.id_claim = ClaimPath::member("ab");
  one.email_claim = ClaimPath::member("c");
  UpstreamConfig other = two_urls();
  other.id_claim = ClaimPath::member("a");
  other.email_claim = ClaimPath::member("bc");
  CHECK(scope_of(one) != scope_of(other));
  other = one = two_urls();
  one.require = {{ClaimPath::member("a"), true}};
  other.require_token = {{ClaimPath::member("a"), true}};
  CHECK(scope_of(one) != scope_of(other));
  other.require_token.clear();
  other.require = {{ClaimPath::member("a"), std::string("true")}};
  CHECK(scope_of(one) != scope_of(other));
}

TEST_CASE("each URL of an upstream becomes one lane, in order") {
  Config config;
  config.upstreams = {two_urls(), two_urls()};
  const std::vector<upstream::UpstreamSettings> url_queues = upstream_settings_from(config);
  REQUIRE(url_queues.size() == 4);
  CHECK_FALSE(url_queues[0].next_url);
  CHECK(url_queues[1].next_url);
  CHECK(url_queues[1].url == "https://b.example");
  CHECK_FALSE(url_queues[2].next_url);
  CHECK(policy_from(config).upstreams.at(1).urls == 2);
}

TEST_CASE("a configuration fits if its workers and everything else have a descriptor each") {
  Config config;
  config.daemon.max_connections = 1000;
  config.upstreams = {two_urls()};
  config.upstreams[0].connections = 64;
  const std::uint64_t upstream = 2 * 64 * 2;  // two URLs, and two addresses tried at once
  const std::uint64_t other = 192;
  CHECK(descriptors_fit(config, 1000 + upstream + other));
  const Status refused = descriptors_fit(config, 1000 + upstream + other - 1);
  REQUIRE_FALSE(refused);
  const std::string& text = refused.error().message;
  CHECK(text.find("daemon.max_connections = 1000") != std::string::npos);
  CHECK(text.find("set daemon.max_connections to at most 999") != std::string::npos);
  CHECK(
      descriptors_fit(config, 10).error().message.find("lower the connections of the upstreams") !=
      std::string::npos);
}

TEST_CASE("the addresses of this host reach the rate limiter") {
  CHECK(policy_from(Config{}, {"192.0.2.1"}).rate_limit.own_addresses ==
        std::vector<std::string>{"192.0.2.1"});
}

}  // namespace claimsd::daemon

// What the front door reads from a request, and what it rejects.
#include "daemon/front_door/request.h"

#include "tests/support/catch.h"

namespace claimsd::front_door {
namespace {

constexpr std::uint32_t kProxy = 33;

struct Sent {
  std::string method = "GET";
  std::string path = "/v1/auth/doctors";
  std::vector<http::Field> headers;
  std::optional<std::uint32_t> uid = 1000;
  std::string host = "claimsd";

  Settings settings{.client_address_header = "X-Forwarded-For", .trusted_uids = {kProxy}};

  tl::expected<Check, http::Response> read() const {
    http::Request request{.method = method, .path = path};
    request.headers = headers;
    request.host = host;
    if (uid) request.peer = loop::PeerCredentials{.uid = *uid};
    return read_request(request, settings);
  }
  unsigned status() const {
    const auto check = read();
    return check ? 0 : check.error().status;
  }
};

TEST_CASE("a gate is named by the first segment after its prefix, whatever follows") {
  for (const char* const path : {"/v1/auth/doctors", "/v1/auth/doctors/",
                                 "/v1/auth/doctors/api/../x", "/v1/auth/doctors//v1/auth/nurses"}) {
    CAPTURE(path);
    const Sent sent{.path = path};
    const auto check = sent.read();
    REQUIRE(check);
    CHECK(check->resource == Resource::kGate);
    CHECK(check->gate == "doctors");
  }
}

TEST_CASE("a gate's name is compared as it was sent, never decoded") {
  for (const std::string& name : {std::string("doctors%2f.."), std::string("%64octors")}) {
    const Sent sent{.path = "/v1/auth/" + name};
    CHECK(sent.read()->gate == name);
  }
}

TEST_CASE("paths that are no resource get 404") {
  for (const char* const path :
       {"/", "", "*", "/v1/auth", "/v1/auth/", "/v1/auth//doctors", "//v1/auth/doctors",
        "/V1/auth/doctors", "/api/me", "/api/me/x", "/api/me//", "/healthz", "/v1/auth%2fdoctors",
        "/x/../v1/auth/doctors"}) {
    CAPTURE(path);
    CHECK(Sent{.path = path}.status() == 404);
  }
}

TEST_CASE("the document takes GET and HEAD, a gate takes any method") {
  CHECK(Sent{.method = "GET", .path = "/api/me/"}.read()->resource == Resource::kDocument);
  CHECK(Sent{.method = "HEAD", .path = "/api/me/"}.read());
  const auto check = Sent{.method = "POST", .path = "/api/me/"}.read();
  REQUIRE_FALSE(check);
  CHECK(check.error().status == 405);
  CHECK(check.error().allow == "GET, HEAD");
  for (const char* const method : {"GET", "POST", "OPTIONS", "PROPFIND", "BREW"})
    CHECK(Sent{.method = method}.read());
}

TEST_CASE("the bearer token is read whatever the case of header and scheme") {
  for (const http::Field& field : std::vector<http::Field>{{"Authorization", "Bearer abc"},
                                                           {"authorization", "bearer abc"},
                                                           {"AUTHORIZATION", "BEARER   abc  "}}) {
    CHECK(Sent{.headers = {field}}.read()->token == "abc");
  }
}

TEST_CASE("other schemes and empty credentials are no token") {
  for (const char* const value : {"Basic abc", "Bearer", "Bearer ", "BearerX abc", "abc", ""}) {
    CAPTURE(value);
    const auto check = Sent{.headers = {{"Authorization", value}}}.read();
    REQUIRE(check);
    CHECK(check->token.empty());
  }
  CHECK(Sent{}.read()->token.empty());
}

TEST_CASE("two Authorization headers get 400, even if they are equal") {
  const Sent sent{.headers = {{"Authorization", "Bearer a"}, {"authorization", "Bearer a"}}};
  CHECK(sent.status() == 400);
  CHECK(sent.read().error().close);
}

TEST_CASE("a control character in any header gets 400") {
  for (const std::string& value :
       {std::string("Bearer a\0b", 10), std::string("a\rb"), std::string("a\nb"),
        std::string("a\x7f"), std::string("\x1b[0m")}) {
    CHECK(Sent{.headers = {{"Authorization", value}}}.status() == 400);
    CHECK(Sent{.headers = {{"X-Other", value}}}.status() == 400);
  }
  CHECK(Sent{.headers = {{"X-Other", "a\tb"}}}.read());
}

TEST_CASE("the client's address is believed only from a trusted uid, and only its last item") {
  Sent sent{.headers = {{"x-forwarded-for", "6.6.6.6, 10.0.0.7"}}, .uid = kProxy};
  CHECK(sent.read()->client_address == "10.0.0.7");
  sent.uid = 1000;
  CHECK(sent.read()->client_address.empty());
  sent.uid = std::nullopt;  // over TCP
  sent.host = "localhost";
  CHECK(sent.read()->client_address.empty());
  sent.uid = kProxy;
  const std::string long_one(65, '1');
  sent.host = "claimsd";
  sent.headers = {{"X-Forwarded-For", long_one}};
  CHECK(sent.read()->client_address.empty());
  sent.settings.client_address_header = "";
  sent.headers = {{"", "1.2.3.4"}};
  CHECK(sent.read()->client_address.empty());
}

TEST_CASE("nothing that a proxy forwards from its client changes the requirement") {
  const Sent plain_request;
  const auto plain = plain_request.read();
  const Sent forwarded_request{.method = "OPTIONS",
                               .headers = {{"X-Forwarded-Uri", "/public"},
                                           {"X-Forwarded-Host", "other"},
                                           {"X-Forwarded-Method", "OPTIONS"},
                                           {"X-Original-URL", "/v1/auth/authenticated"},
                                           {"X-Http-Method-Override", "GET"}},
                               .host = "other"};
  const auto forwarded = forwarded_request.read();
  REQUIRE(forwarded);
  CHECK(forwarded->gate == plain->gate);
  CHECK(forwarded->resource == plain->resource);
}

TEST_CASE("over TCP the Host header must name the loopback") {
  CHECK(Sent{.uid = std::nullopt, .host = "evil.example"}.status() == 403);
  CHECK(Sent{.uid = std::nullopt, .host = ""}.status() == 403);
  CHECK(Sent{.uid = std::nullopt, .host = "127.0.0.1:9000"}.read());
  CHECK(Sent{.host = "evil.example"}.read());
}

}  // namespace
}  // namespace claimsd::front_door

#include "daemon/upstream/request.h"

#include <filesystem>
#include <fstream>

#include "daemon/upstream/target.h"
#include "tests/support/scratch_directory.h"
#include "tests/upstream/fetching.h"

namespace claimsd::upstream {
namespace {

using proto::Reason;

std::vector<std::string> lines_of(Request& request) {
  std::vector<std::string> lines;
  for (const curl_slist* line = request.headers(); line != nullptr; line = line->next)
    lines.emplace_back(line->data);
  return lines;
}

bool has(Request& request, const std::string& line) {
  const auto lines = lines_of(request);
  return std::find(lines.begin(), lines.end(), line) != lines.end();
}

TEST_CASE("userinfo sends the token in the Authorization header, with the configured scheme") {
  UpstreamSettings settings;
  settings.scheme = GENERATE("Bearer", "Token");
  Request request(settings, nullptr);
  REQUIRE(request.set_token("header.payload.signature"));
  CHECK(has(request, "Authorization: " + settings.scheme + " header.payload.signature"));
  CHECK(has(request, "Accept-Encoding: identity"));
  CHECK_FALSE(request.has_form());
  SECTION("a shorter token leaves nothing of the one before") {
    REQUIRE(request.set_token("abc"));
    CHECK(has(request, "Authorization: " + settings.scheme + " abc"));
    request.clear();
    CHECK(has(request, "Authorization: " + settings.scheme + " "));
  }
  SECTION("a token with a line break is refused") {
    CHECK_FALSE(request.set_token("abc\r\nX-Evil: 1"));
  }
}

TEST_CASE("introspection sends the token in a form, encoded") {
  UpstreamSettings settings;
  settings.kind = Kind::kIntrospection;
  settings.client_id = "lumen daemon";
  Credentials credentials;
  credentials.client_secret = Secret("s:cret%+");
  SECTION("basic: id and secret are encoded before they are joined") {
    Request request(settings, &credentials);
    REQUIRE(request.set_token("a+b/c="));
    CHECK(has(request, "Authorization: Basic bHVtZW4lMjBkYWVtb246cyUzQWNyZXQlMjUlMkI="));
    CHECK(request.form() == "token_type_hint=access_token&token=a%2Bb%2Fc%3D");
    REQUIRE(request.set_token("1|a&token=%\"+"));
    CHECK(request.form() == "token_type_hint=access_token&token=1%7Ca%26token%3D%25%22%2B");
  }
  SECTION("post") {
    settings.client_auth = ClientAuth::kPost;
    Request request(settings, &credentials);
    REQUIRE(request.set_token("abc"));
    CHECK(request.form() ==
          "client_id=lumen%20daemon&client_secret=s%3Acret%25%2B&token_type_hint=access_token&"
          "token=abc");
    CHECK(lines_of(request).size() == 3);  // no Authorization
  }
  SECTION("certificate: the id only") {
    settings.client_auth = ClientAuth::kCertificate;
    Request request(settings, &credentials);
    REQUIRE(request.set_token("abc"));
    CHECK(request.form() == "client_id=lumen%20daemon&token_type_hint=access_token&token=abc");
  }
}

// Files of one line, as settings name them.
struct Files {
  testing::ScratchDirectory scratch;
  std::string put(const std::string& name, std::string_view text) const {
    const std::filesystem::path path = std::filesystem::path(scratch.path()) / name;
    std::ofstream(path, std::ios::binary) << text;
    return path;
  }
};

TEST_CASE("each client authentication is accepted by an endpoint that requires it") {
  test::FaultServer& server = fresh_fault_server();
  const Files files;
  const std::string secret = files.put("secret", "s:cret%+\n");
  const auto [auth, mode, listener] = GENERATE(table<ClientAuth, std::string, std::string>(
      {{ClientAuth::kBasic, "introspection-basic", "http"},
       {ClientAuth::kPost, "introspection-post", "http"},
       {ClientAuth::kCertificate, "introspection-certificate", "https_client_cert"}}));
  UpstreamSettings settings = upstream_of(server, mode, listener);
  settings.kind = Kind::kIntrospection;
  settings.client_id = "lumen daemon";
  settings.client_auth = auth;
  if (auth == ClientAuth::kCertificate) {
    settings.client_certificate = server.tls_file("client.pem");
    settings.client_key = server.tls_file("client.key");
  } else {
    settings.client_secret_file = secret;
  }
  Fetching fetching({settings});
  const claims::FetchOutcome outcome = fetching.fetch("a~token+with/signs=");
  CHECK(outcome.status == 200);
  CHECK(outcome.body.view().find("\"active\": true") != std::string_view::npos);
  CHECK(fetching.fetch("inactive-token").body.view() == R"({"active": false})");
}

TEST_CASE("an endpoint refuses wrong credentials, and a changed file takes effect") {
  test::FaultServer& server = fresh_fault_server();
  const Files files;
  UpstreamSettings settings = upstream_of(server, "introspection-basic");
  settings.kind = Kind::kIntrospection;
  settings.client_id = "lumen daemon";
  settings.client_secret_file = files.put("secret", "wrong");
  Fetching fetching({settings});
  CHECK(fetching.fetch().status == 401);
  files.put("secret", "s:cret%+");
  test::run_until(*fetching.loop, [&] { return fetching.fetch().status == 200; });
}

TEST_CASE("one more request header comes from a file") {
  test::FaultServer& server = fresh_fault_server();
  const Files files;
  UpstreamSettings settings = upstream_of(server, "ok");
  settings.request_header_file = files.put("header", "X-Api-Key: 12 34\n");
  Fetching fetching({settings});
  CHECK(fetching.fetch().status == 200);
  CHECK(server.get("/_seen?mode=ok").find("X-Api-Key") != std::string::npos);
}

TEST_CASE("a file that would change the request is refused") {
  const Files files;
  UpstreamSettings settings;
  settings.name = "main";
  for (const char* const text :
       {"", "\n", "no colon", ": value", "X-Key:", "X-Key: ", "Authorization: Bearer x", "Host: x",
        "content-length: 3", "Transfer-Encoding: chunked", "Proxy-Authorization: x",
        "X-A: 1\nX-B: 2", "X-A: 1\r\nX-B: 2\r\n", "X A: 1", "X-A: \x01"}) {
    INFO(text);
    settings.request_header_file = files.put("header", text);
    const auto read = read_credentials(settings);
    REQUIRE_FALSE(read);
    CHECK(read.error().message.starts_with("upstream.main.request_header_file: "));
  }
  settings.request_header_file.clear();
  for (const char* const text : {"", "user", ":password", "user:pass\nword"}) {
    settings.proxy_credentials_file = files.put("proxy", text);
    CHECK_FALSE(read_credentials(settings));
  }
}

TEST_CASE("the query of the path is sent") {
  test::FaultServer& server = fresh_fault_server();
  UpstreamSettings settings = upstream_of(server, "ok");
  settings.path = "/api/me/?fields=id,email&v=2";
  Fetching fetching({settings});
  CHECK(fetching.fetch().status == 200);
  CHECK_FALSE(check_target([] {
    UpstreamSettings bad;
    bad.url = "https://auth.example.com/?a=b";
    return bad;
  }()));
}

}  // namespace
}  // namespace claimsd::upstream

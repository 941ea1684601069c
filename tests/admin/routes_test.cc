#include "daemon/admin/routes.h"

#include <simdjson.h>

#include <regex>
#include <set>

#include "daemon/admin/event_feed.h"
#include "daemon/admin/openapi.h"
#include "daemon/admin/scrape_guard.h"
#include "daemon/loop/loop.h"
#include "tests/admin/admin_harness.h"
#include "tests/support/catch.h"

namespace claimsd::admin {
namespace {

const std::vector<config::Setting> kSettings = {
    {"cache.max_ttl", "\"60s\"", "default", true, "60000"}};
const config::ReloadResult kReloaded = {
    .outcome = config::ReloadOutcome::kDone,
    .message = {},
    .changes = {{"cache.max_ttl", "\"60s\"", "\"2s\"", "claimsd.toml:2"}}};

std::string_view sample_body(std::string_view path) {
  if (path == "/v1/entry" || path == "/v1/upstream-test") return R"({"token":"x"})";
  if (path == "/v1/unrevoke") return R"({"id":"00112233445566778899aabbccddeeff"})";
  return path == "/v1/log-level" ? R"({"level": "info"})" : R"({"user":"x"})";
}

// A fake daemon for the routes: orders succeed and are durable, and the cache has two entries.
struct FakeDaemon {
  claims::EntryDescription entry(std::uint8_t key, std::string_view user) const {
    return {.key = {{key}}, .user = user, .state = claims::EntryState::kFresh, .age = seconds(2)};
  }
  AdminServices services() {
    AdminServices made;
    made.status = [this] { return status; };
    made.process = [] { return ProcessUsage{}; };
    made.purge = [](const claims::AdminAction&, const claims::ActionDone& done) {
      done({.durable = true, .until = {}});
    };
    made.revoke = made.purge;
    made.unrevoke = [](const claims::ActionId&, auto, const claims::ActionDone& done) {
      done({.durable = true, .until = {}});
    };
    made.list_actions = [](const auto&, std::size_t, const auto&) { return std::nullopt; };
    made.upstream_named = [](std::string_view) { return std::nullopt; };
    made.inspect = [this](const auto& after, std::size_t most, const auto& visit) {
      asked_after = after;
      asked_most = most;
      visit(entry(1, "tess"));
      visit(entry(2, "rob"));
      return next;
    };
    made.inspect_token = [this](std::string_view, const auto& visit) {
      visit({.upstream = 0, .entry = entry(1, "tess")});
    };
    made.now = [] { return Now{}; };
    made.settings = []() -> const std::vector<config::Setting>& { return kSettings; };
    made.retry_now = [](claims::UpstreamId, std::optional<std::uint32_t>) { return Duration(); };
    made.reload = [](std::optional<std::uint32_t>, const config::ReloadDone& done) {
      done(kReloaded);
    };
    made.log_levels = [] { return LogLevels{.now = LogLevel::kDebug}; };
    made.set_log_level = [](std::optional<std::uint32_t>, LogLevel) {};
    made.events = &events;
    made.peers = &peers;
    made.test_upstream = [this](std::string_view name, std::string_view, auto, const auto& done) {
      if (name == "unknown") return TestStart::kUnknownUpstream;
      if (name == "busy") return TestStart::kBusy;
      done(upstream_test);
      return TestStart::kStarted;
    };
    made.audit = [](const audit::SearchFilter&, const auto& done) { done(audit::Page{}); };
    return made;
  }
  http::Response call(http::Request request) {
    if (request.method == "POST" && request.body.empty()) request.body = sample_body(request.path);
    return dispatch(services(), request);
  }

  DaemonStatus status = sample_status();
  UpstreamTest upstream_test;
  std::optional<claims::TokenKey> next;
  std::optional<claims::TokenKey> asked_after;
  std::size_t asked_most = 0;
  server::PeerTable peers;
  SystemClock clock;
  std::unique_ptr<loop::Loop> loop = std::move(*loop::Loop::create());
  EventFeed events{*loop, clock};
};

http::Response call(std::string_view method, std::string_view path,
                    const DaemonStatus& status = sample_status()) {
  FakeDaemon daemon;
  daemon.status = status;
  return daemon.call({.method = method, .path = path});
}

std::string text_at(const std::string& json, std::string_view pointer) {
  simdjson::dom::parser parser;
  return std::string(std::string_view(parser.parse(json).at_pointer(pointer)));
}

TEST_CASE("the index lists every route in the table") {
  const auto response = call("GET", "/");
  CHECK(response.status == 200);
  simdjson::dom::parser parser;
  const auto listed = simdjson::dom::array(parser.parse(response.body)["routes"]);
  REQUIRE(listed.size() == routes().size());
  for (std::size_t i = 0; i < routes().size(); ++i) {
    CHECK(std::string_view(listed.at(i)["path"]) == routes()[i].path);
    CHECK(std::string_view(listed.at(i)["help"]) == routes()[i].help);
  }
}

TEST_CASE("each method and path is in the table once and has help") {
  std::set<std::string> seen;
  for (const auto& route : routes()) {
    CHECK(seen.insert(std::string(route.method) + " " + std::string(route.path)).second);
    CHECK_FALSE(route.help.empty());
  }
}

TEST_CASE("every route answers, and HEAD is handled as GET") {
  for (const auto& route : routes()) {
    CAPTURE(route.path);
    CHECK(call(route.method, route.path, sample_status()).status == 200);
    if (route.method == "GET") CHECK(call("HEAD", route.path, sample_status()).status == 200);
  }
}

TEST_CASE("an unknown path is a 404 that does not repeat the path") {
  const auto response = call("GET", "/v1/eyJhbGciOi.secret");
  CHECK(response.status == 404);
  CHECK(text_at(response.body, "/error/code") == "not_found");
  CHECK_FALSE(text_at(response.body, "/error/hint").empty());
  CHECK(response.body.find("secret") == std::string::npos);
}

TEST_CASE("a wrong method is a 405 that lists the allowed ones") {
  const auto response = call("DELETE", "/v1/status");
  CHECK(response.status == 405);
  CHECK(response.allow == "GET, HEAD");
  CHECK(text_at(response.body, "/error/code") == "method_not_allowed");
}

TEST_CASE("health is 200 even while the daemon stops, ready is not") {
  auto status = sample_status();
  CHECK(call("GET", "/v1/ready", status).status == 200);
  status.stopping = true;
  CHECK(call("GET", "/v1/health", status).status == 200);
  const auto response = call("GET", "/v1/ready", status);
  CHECK(response.status == 503);
  CHECK(text_at(response.body, "/findings/0/code") == "stopping");
}

TEST_CASE("a failing Auth API leaves the daemon ready, because known tokens are still answered") {
  auto status = sample_status();
  status.upstreams[0].consecutive_failures = 9;
  const auto response = call("GET", "/v1/ready", status);
  CHECK(response.status == 200);
  CHECK(text_at(response.body, "/findings/0/code") == "upstream_failing");
}

TEST_CASE("metrics have the content type that Prometheus expects") {
  CHECK(call("GET", "/metrics").content_type == "text/plain; version=0.0.4; charset=utf-8");
}

TEST_CASE("openapi.yaml describes every route and no other") {
  std::set<std::string> described;
  std::string path;
  const std::regex path_line("  (/[^:]*):");
  const std::regex method_line("    (get|post|put|delete):.*");
  std::istringstream lines{std::string(kOpenApi)};
  for (std::string line; std::getline(lines, line);) {
    std::smatch match;
    if (std::regex_match(line, match, path_line)) path = match[1];
    if (!path.empty() && std::regex_match(line, match, method_line))
      described.insert(match[1].str() + " " + path);
    if (line == "components:") break;
  }
  std::set<std::string> served;
  for (const auto& route : routes()) {
    std::string method(route.method);
    for (char& c : method) c = static_cast<char>(std::tolower(c));
    served.insert(method + " " + std::string(route.path));
  }
  CHECK(described == served);
}

TEST_CASE("entries are returned in pages, and filtered by user on request") {
  FakeDaemon daemon;
  const auto get = [&](auto parameters) {
    return daemon.call({.method = "GET", .path = "/v1/entries", .parameters = parameters});
  };
  using Parameters = decltype(http::Request::parameters);
  auto response = get(Parameters{});
  CHECK(text_at(response.body, "/entries/0/user") == "tess");
  CHECK(text_at(response.body, "/entries/0/entry") == "0100000000000000");
  CHECK(response.body.find(R"("next":null)") != std::string::npos);
  CHECK(daemon.asked_most == 100);
  daemon.next = claims::TokenKey{{2}};
  response = get(Parameters{{"limit", "2"}});
  const auto cursor = text_at(response.body, "/next");
  get(Parameters{{"after", cursor}, {"limit", "2"}});
  CHECK(daemon.asked_after == daemon.next);
  CHECK(daemon.asked_most == 2);
  response = get(Parameters{{"user", "rob"}});
  CHECK(text_at(response.body, "/entries/0/user") == "rob");
  CHECK(response.body.find("tess") == std::string::npos);
  CHECK(daemon.asked_most == 500);
  for (const auto& bad : {Parameters{{"limit", "0"}}, Parameters{{"limit", "501"}},
                          Parameters{{"limit", "many"}}, Parameters{{"after", "zz"}}}) {
    CHECK(get(bad).status == 400);
  }
}

TEST_CASE("a token is looked up from the body only and is not repeated") {
  FakeDaemon daemon;
  const auto post = [&](std::string_view body) {
    return daemon.call({.method = "POST", .path = "/v1/entry", .body = body});
  };
  const auto response = post(R"({"token":"secret-token"})");
  CHECK(text_at(response.body, "/upstreams/0/entry/user") == "tess");
  CHECK(response.body.find("secret-token") == std::string::npos);
  for (const std::string_view bad : {R"({"user":"7"})", R"({"all_users":true})", "{",
                                     R"({"token":"a b"})", R"({"token":"x","for_seconds":5})"}) {
    CHECK(post(bad).status == 400);
  }
}

TEST_CASE("events are returned in order, with the number of missed ones") {
  FakeDaemon daemon;
  const auto get = [&](auto parameters) {
    return daemon.call({.method = "GET", .path = "/v1/events", .parameters = parameters}).body;
  };
  using Parameters = decltype(http::Request::parameters);
  CHECK(get(Parameters{}).find(R"("events":[],"last":0,"missed":0)") != std::string::npos);
  daemon.events.add({.kind = EventKind::kRequestCompleted, .reason = proto::Reason::kUpstreamTls});
  daemon.events.add({.kind = EventKind::kPeerRefused, .uid = 33, .why = "no"});
  auto body = get(Parameters{{"after", "0"}});
  CHECK(text_at(body, "/events/0/reason") == "upstream_tls");
  CHECK(text_at(body, "/events/0/upstream") == "main");
  CHECK(text_at(body, "/events/1/event") == "peer_refused");
  CHECK(body.find(R"("uid":33)") != std::string::npos);
  for (std::size_t i = 0; i < EventFeed::kCapacity + 10; ++i)
    daemon.events.add({.kind = EventKind::kPurged, .uid = {}});
  body = get(Parameters{{"after", "2"}});
  CHECK(body.find(R"("missed":10)") != std::string::npos);
  CHECK(body.find(R"("last":268)") != std::string::npos);
  // After a restart an old sequence number returns the new daemon's events from the start.
  CHECK(get(Parameters{{"after", "5000"}}).find(R"("sequence":13)") != std::string::npos);
  CHECK(daemon
            .call({.method = "GET",
                   .path = "/v1/events",
                   .parameters = {{"after", "1"}, {"wait", "31"}}})
            .status == 400);
}

TEST_CASE("statistics list only the uids with the most queries") {
  FakeDaemon daemon;
  for (std::uint32_t uid = 1; uid <= 300; ++uid) daemon.peers.enter(uid).queries = uid;
  const auto body = daemon.call({.method = "GET", .path = "/v1/statistics"}).body;
  simdjson::dom::parser parser;
  const auto peers = simdjson::dom::array(parser.parse(body)["peers"]);
  REQUIRE(peers.size() == 100);
  CHECK(std::uint64_t(peers.at(0)["uid"]) == 300);
  CHECK(std::uint64_t(peers.at(99)["uid"]) == 201);
}

TEST_CASE("a test of an Auth API returns its claims and what they match") {
  FakeDaemon daemon;
  daemon.upstream_test = {.upstream = "main", .reason = proto::Reason::kOk, .status = 200};
  daemon.upstream_test.document =
      claims::DocumentReport{.is_object = true, .members = {{"/sub", "string of 3 bytes"}}};
  daemon.upstream_test.document->claims = {{.option = "id_claim",
                                            .claim = "id",
                                            .found = "missing",
                                            .hint = "write id_claim = \"sub\""}};
  const auto test = [&](std::string_view body, std::string_view upstream) {
    return daemon.call({.method = "POST",
                        .path = "/v1/upstream-test",
                        .body = body,
                        .parameters = {{"upstream", upstream}}});
  };
  const auto response = test(R"({"token":"t"})", "main");
  CHECK(response.status == 200);
  CHECK(text_at(response.body, "/verdict") == "valid");
  CHECK(text_at(response.body, "/document/members/0/at") == "/sub");
  CHECK(text_at(response.body, "/document/claims/0/hint") == "write id_claim = \"sub\"");
  CHECK(test(R"({"token":"t"})", "unknown").status == 400);
  CHECK(test(R"({"token":"t"})", "busy").status == 503);
  CHECK(test(R"({"user":"u"})", "main").status == 400);
  CHECK(test(R"({"token":"a b"})", "main").status == 400);
}

TEST_CASE("the listener for Prometheus serves three paths, only for a Host that names loopback") {
  FakeDaemon daemon;
  const auto services = daemon.services();
  const auto status_of = [&](std::string_view path, std::string_view host) {
    return dispatch_scrape(services, {.method = "GET", .path = path, .host = host}).status;
  };
  for (const std::string_view path : {"/metrics", "/healthz", "/readyz"})
    CHECK(status_of(path, "127.0.0.1:9464") == 200);
  for (const auto& route : routes()) {
    if (route.kind != Route::Kind::kScrape) CHECK(status_of(route.path, "localhost") == 404);
  }
  for (const std::string_view host :
       {"", "evil.example", "localhost.evil.example", "127.0.0.1.evil.example", "127.0.0.1:80:80",
        "127.a.b.evil", "127.0.0.evil", "127.0.0.1a", "127...evil", "localhost:123456",
        "localhost:", "localhost:x", "127.1", "[::1]evil", "[::2]", "10.0.0.1"}) {
    CAPTURE(host);
    CHECK(status_of("/metrics", host) == 403);
  }
  for (const std::string_view host :
       {"localhost", "localhost:9464", "127.0.0.1", "[::1]:9464", "[::1]"})
    CHECK(status_of("/metrics", host) == 200);
}

TEST_CASE("the listener for Prometheus makes each response at most once per second") {
  FakeDaemon daemon;
  int made = 0;
  AdminServices services = daemon.services();
  services.status = [&] {
    ++made;
    return sample_status();
  };
  BootTime now{};
  services.now = [&] { return Now{now, {}}; };
  ScrapeCache cache;
  const auto get = [&](std::string_view path, std::string_view host = "localhost") {
    return cache.dispatch(services, {.method = "GET", .path = path, .host = host});
  };
  const std::string first = get("/metrics").body;
  CHECK(get("/metrics").body == first);
  CHECK(made == 1);
  CHECK(get("/readyz").status == get("/readyz").status);
  CHECK(made == 2);
  CHECK(get("/metrics", "evil.example").status == 403);
  now += ScrapeCache::kTime;
  CHECK(get("/metrics").status == 200);
  CHECK(made == 3);
  for (int i = 0; i < 3; ++i) CHECK(get("/v1/status").status == 404);
}

TEST_CASE("a route is called with its own method only") {
  FakeDaemon daemon;
  for (const auto& route : routes()) {
    if (route.method != "POST") continue;
    CAPTURE(route.path);
    const bool also_read = std::any_of(routes().begin(), routes().end(), [&](const Route& other) {
      return other.path == route.path && other.method == "GET";
    });
    if (also_read) continue;
    for (const std::string_view method : {"GET", "HEAD", "PUT", "DELETE", "post"}) {
      const http::Response response =
          daemon.call({.method = method, .path = route.path, .body = R"({"all_users": true})"});
      CHECK(response.status == 405);
      CHECK(response.allow == "POST");
    }
  }
}

TEST_CASE("connections are reserved for revocations and purges only") {
  CHECK(is_action({.method = "POST", .path = "/v1/revoke"}));
  CHECK(is_action({.method = "POST", .path = "/v1/purge"}));
  CHECK_FALSE(is_action({.method = "GET", .path = "/v1/revoke"}));
  CHECK_FALSE(is_action({.method = "POST", .path = "/v1/entry"}));
  CHECK_FALSE(is_action({.method = "GET", .path = "/v1/events"}));
}

}  // namespace
}  // namespace claimsd::admin

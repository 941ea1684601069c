#include "daemon/admin/routes.h"

#include <simdjson.h>

#include <catch2/catch.hpp>
#include <set>

#include "tests/admin/admin_harness.h"

namespace claimsd::daemon {
namespace {

// Orders are carried out, and durable.
HttpResponse call(std::string_view method, std::string_view path, DaemonStatus status = {}) {
  const OrderTaker take = [](const Order&, const OrderDone& done) {
    done({.durable = true, .until = {}});
  };
  return dispatch(
      {.status = [&] { return status; },
       .process = [] { return ProcessUsage{}; },
       .purge = take,
       .revoke = take,
       .upstream_named = [](std::string_view) { return std::nullopt; }},
      {.method = method, .path = path, .body = method == "POST" ? R"({"user":"x"})" : ""});
}

std::string text_at(const std::string& json, std::string_view pointer) {
  simdjson::dom::parser parser;
  return std::string(std::string_view(parser.parse(json).at_pointer(pointer)));
}

TEST_CASE("the index lists every route of the table") {
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

TEST_CASE("no method and path stand in the table twice, and each row has its help") {
  std::set<std::string> seen;
  for (const auto& route : routes()) {
    CHECK(seen.insert(std::string(route.method) + " " + std::string(route.path)).second);
    CHECK_FALSE(route.help.empty());
  }
}

TEST_CASE("every route answers, and HEAD is taken for GET") {
  for (const auto& route : routes()) {
    CAPTURE(route.path);
    CHECK(call(route.method, route.path, sample_status()).status == 200);
    if (route.method == "GET") CHECK(call("HEAD", route.path, sample_status()).status == 200);
  }
}

TEST_CASE("an unknown path is refused without being repeated") {
  const auto response = call("GET", "/v1/eyJhbGciOi.secret");
  CHECK(response.status == 404);
  CHECK(text_at(response.body, "/error/code") == "not_found");
  CHECK_FALSE(text_at(response.body, "/error/hint").empty());
  CHECK(response.body.find("secret") == std::string::npos);
}

TEST_CASE("a wrong method is refused and says which ones are right") {
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

TEST_CASE("a failing Auth API leaves the daemon ready: known tokens are still answered") {
  auto status = sample_status();
  status.upstreams[0].consecutive_failures = 9;
  const auto response = call("GET", "/v1/ready", status);
  CHECK(response.status == 200);
  CHECK(text_at(response.body, "/findings/0/code") == "upstream_failing");
}

TEST_CASE("metrics are served as Prometheus expects them") {
  CHECK(call("GET", "/metrics").content_type == "text/plain; version=0.0.4; charset=utf-8");
}

}  // namespace
}  // namespace claimsd::daemon

#include "daemon/admin/routes.h"

#include <fmt/core.h>

#include <algorithm>

#include "daemon/admin/action_routes.h"
#include "daemon/admin/audit_route.h"
#include "daemon/admin/config_routes.h"
#include "daemon/admin/entry_routes.h"
#include "daemon/admin/event_routes.h"
#include "daemon/admin/fleet_routes.h"
#include "daemon/admin/health.h"
#include "daemon/admin/metrics.h"
#include "daemon/admin/openapi.h"
#include "daemon/admin/retry_route.h"
#include "daemon/admin/statistics_json.h"
#include "daemon/admin/status_json.h"
#include "daemon/admin/upstream_test.h"
#include "daemon/base/json_writer.h"
#include "daemon/base/parse_integer.h"
#include "daemon/http/json_response.h"

namespace claimsd::admin {
namespace {

http::Response index(const AdminServices&, const http::Request&) {
  JsonWriter json;
  json.begin_object().member("schema", kStatusSchema).key("routes").begin_array();
  for (const auto& route : routes()) {
    json.begin_object()
        .member("method", route.method)
        .member("path", route.path)
        .member("help", route.help)
        .end_object();
  }
  return http::json_response(200, json.end_array().end_object().take());
}

http::Response status(const AdminServices& services, const http::Request&) {
  return http::json_response(200, status_json(services.status()));
}

// Any response proves that the loop runs.
http::Response health(const AdminServices&, const http::Request&) {
  JsonWriter json;
  json.begin_object().member("schema", kStatusSchema).member("alive", true).end_object();
  return http::json_response(200, json.take());
}

http::Response ready(const AdminServices& services, const http::Request&) {
  const auto findings = assess(services.status());
  const bool blocked = std::any_of(findings.begin(), findings.end(),
                                   [](const Finding& finding) { return finding.blocks; });
  return http::json_response(blocked ? 503 : 200, readiness_json(findings, !blocked));
}

http::Response metrics(const AdminServices& services, const http::Request&) {
  http::Response response;
  response.content_type = kMetricsContentType;
  response.body = metrics_text({services.status(), services.process()});
  return response;
}

http::Response statistics(const AdminServices& services, const http::Request&) {
  return http::json_response(
      200, statistics_json(services.status(), services.process(), *services.peers));
}

http::Response openapi(const AdminServices&, const http::Request&) {
  http::Response response;
  response.content_type = "application/yaml";
  response.body = kOpenApi;
  return response;
}

using enum Route::Kind;

// clang-format off
constexpr Route kRoutes[] = {
  {"GET", "/",          "List of the routes", index},
  {"GET", "/v1/status", "Health, findings and numbers of the daemon", status},
  {"GET", "/v1/health", "200 while the daemon's event loop runs", health},
  {"GET", "/v1/ready",  "200 if queries are accepted, otherwise 503 and the reason", ready},
  {"GET", "/metrics",   "Metrics for Prometheus, text format 0.0.4", metrics, kScrape},
  {"GET", "/healthz",   "Same as /v1/health, for orchestrators", health, kScrape},
  {"GET", "/readyz",    "Same as /v1/ready, for orchestrators", ready, kScrape},
  {"GET", "/v1/statistics", "Statistics since the start, by source, Auth API and peer", statistics},
  {"GET", "/v1/entries", "Cache entries, paged: ?after=CURSOR&limit=N&user=ID", entries_route},
  {"POST", "/v1/entry",  "Cached state of one token", entry_route},
  {"GET", "/v1/events", "Events: ?after=SEQUENCE&wait=SECONDS", events_route},
  {"GET", "/openapi.yaml", "OpenAPI 3 description of this API", openapi},
  {"POST", "/v1/purge",  "Purge cached answers of a token, a user or all users", purge_route, kAction},
  {"GET", "/v1/config", "All options with their values and origins", config_route},
  {"POST", "/v1/reload", "Reload the configuration: all of it takes effect, or nothing", reload_route},
  {"GET", "/v1/log-level", "The log level", log_level_route},
  {"POST", "/v1/log-level", "Set the log level until the next reload or restart", set_log_level_route},
  {"POST", "/v1/revoke", "Revoke a token, a user's tokens or all tokens, regardless of the Auth API", revoke_route, kAction},
  {"POST", "/v1/upstream-test", "Ask an Auth API once about a token, and describe its response: ?upstream=NAME", upstream_test_route},
  {"POST", "/v1/retry", "End the backoff of a failing Auth API, or of all: ?upstream=NAME", retry_route},
  {"GET", "/v1/revocations", "Revocations, paged: ?after=ID&limit=N", revocations_route},
  {"POST", "/v1/unrevoke", "Withdraw one revocation by its id", unrevoke_route, kAction},
  {"GET", "/v1/fleet", "The fleet of this host and the state of all its hosts", fleet_route},
  {"GET", "/v1/audit", "Records of the audit log, paged", audit_route},
};
// clang-format on

std::string allowed_methods(std::string_view path) {
  std::string methods;
  for (const auto& route : kRoutes) {
    if (route.path != path) continue;
    if (!methods.empty()) methods += ", ";
    methods += route.method == "GET" ? "GET, HEAD" : route.method;
  }
  return methods;
}

http::Response nothing_takes(const http::Request& request) {
  auto methods = allowed_methods(request.path);
  // Do not repeat the path: it may contain a token.
  if (methods.empty()) {
    return http::error_response(404, "not_found", "the admin API has no such path",
                                "list the paths with GET /");
  }
  const auto message = fmt::format("this path accepts only {}", methods);
  auto response = http::error_response(405, "method_not_allowed", message,
                                       "list the methods of each path with GET /");
  response.allow = std::move(methods);
  return response;
}

}  // namespace

std::span<const Route> routes() {
  return kRoutes;
}

http::Response dispatch(const AdminServices& services, const http::Request& request) {
  const std::string_view method = request.method == "HEAD" ? "GET" : request.method;
  for (const auto& route : kRoutes) {
    if (route.path == request.path && route.method == method) {
      return route.handle(services, request);
    }
  }
  return nothing_takes(request);
}

bool is_action(const http::Request& request) {
  return std::any_of(std::begin(kRoutes), std::end(kRoutes), [&](const Route& route) {
    return route.kind == kAction && route.path == request.path && route.method == request.method;
  });
}

std::optional<std::size_t> read_limit(const http::Request& request, std::size_t most) {
  constexpr std::size_t kUsualLimit = 100;
  const auto text = request.parameter("limit");
  if (!text) return kUsualLimit;
  const auto limit = parse_integer<std::size_t>(*text);
  if (limit && (*limit < 1 || *limit > most)) return std::nullopt;
  return limit;
}

}  // namespace claimsd::admin

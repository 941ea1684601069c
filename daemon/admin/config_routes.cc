#include "daemon/admin/config_routes.h"

#include <fmt/core.h>

#include "daemon/admin/status_json.h"
#include "daemon/base/json_writer.h"
#include "daemon/http/deferred_response.h"
#include "daemon/http/json_response.h"

namespace claimsd::admin {
namespace {

http::Response changed(const std::vector<config::Change>& changes) {
  JsonWriter writer;
  writer.begin_object().member("schema", kStatusSchema).key("changes").begin_array();
  for (const config::Change& change : changes) {
    writer.begin_object()
        .member("option", change.option)
        .member("from", change.from)
        .member("to", change.to)
        .member("origin", change.origin)
        .end_object();
  }
  writer.end_array();
  return http::json_response(200, writer.end_object().take());
}

// Accepts {"level": "debug"} only. One member with four possible values needs no parser.
std::optional<LogLevel> read_level(std::string_view body) {
  std::string dense;
  for (const char c : body) {
    if (std::string_view(" \t\r\n").find(c) == std::string_view::npos) dense += c;
  }
  for (const LogLevel level : kLogLevels) {
    if (dense == fmt::format(R"({{"level":"{}"}})", name_of(level))) return level;
  }
  return std::nullopt;
}

http::Response level_response(const LogLevels& levels) {
  JsonWriter writer;
  writer.begin_object()
      .member("schema", kStatusSchema)
      .member("level", name_of(levels.now))
      .member("configured", name_of(levels.configured));
  return http::json_response(200, writer.end_object().take());
}

}  // namespace

http::Response config_route(const AdminServices& services, const http::Request&) {
  JsonWriter writer;
  writer.begin_object().member("schema", kStatusSchema).key("options").begin_array();
  for (const config::Setting& setting : services.settings()) {
    writer.begin_object()
        .member("option", setting.option)
        .member("value", setting.value)
        .member("origin", setting.origin)
        .member("reloadable", setting.reloadable)
        .end_object();
  }
  writer.end_array();
  return http::json_response(200, writer.end_object().take());
}

http::Response reload_response(const config::ReloadResult& result) {
  switch (result.outcome) {
    case config::ReloadOutcome::kBad:
      return http::error_response(409, "bad_configuration", result.message,
                                  "nothing has changed: fix the file and reload again");
    case config::ReloadOutcome::kNeedsRestart:
      return http::error_response(409, "needs_restart", result.message,
                                  "nothing has changed: restart claimsd, or undo these changes");
    case config::ReloadOutcome::kStopping:
      return http::error_response(503, "stopping", result.message,
                                  "wait for the next start, which reads the configuration");
    case config::ReloadOutcome::kDone: break;
  }
  return changed(result.changes);
}

http::Response reload_route(const AdminServices& services, const http::Request& request) {
  const auto later = std::make_shared<http::DeferredResponse>();
  services.reload(request.uid(), [later](const config::ReloadResult& result) {
    later->fulfil(reload_response(result));
  });
  return http::response_of(later);
}

http::Response log_level_route(const AdminServices& services, const http::Request&) {
  return level_response(services.log_levels());
}

http::Response set_log_level_route(const AdminServices& services, const http::Request& request) {
  const std::optional<LogLevel> level = read_level(request.body);
  if (!level) {
    return http::error_response(400, "bad_level", "invalid log level",
                                R"(send {"level": "debug"}, or "info", "warning" or "error")");
  }
  services.set_log_level(request.uid(), *level);
  return level_response(services.log_levels());
}

}  // namespace claimsd::admin

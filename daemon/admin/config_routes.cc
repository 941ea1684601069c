#include "daemon/admin/config_routes.h"

#include <fmt/core.h>

#include "daemon/admin/deferred_response.h"
#include "daemon/admin/status_json.h"
#include "daemon/base/json_writer.h"

namespace claimsd::daemon {
namespace {

HttpResponse changed(const std::vector<Change>& changes) {
  JsonWriter writer;
  writer.begin_object().member("schema", kStatusSchema).key("changes").begin_array();
  for (const Change& change : changes) {
    writer.begin_object()
        .member("option", change.option)
        .member("from", change.from)
        .member("to", change.to)
        .member("origin", change.origin)
        .end_object();
  }
  writer.end_array();
  return json_response(200, writer.end_object().take());
}

HttpResponse response_to(const ReloadResult& result) {
  switch (result.outcome) {
    case ReloadOutcome::kBad:
      return refusal(409, "bad_configuration", result.message,
                     "nothing has changed: fix the file and reload again");
    case ReloadOutcome::kNeedsRestart:
      return refusal(409, "needs_restart", result.message,
                     "nothing has changed: restart claimsd, or undo these changes");
    case ReloadOutcome::kStopping:
      return refusal(503, "stopping", result.message,
                     "wait for the next start, which reads the configuration");
    case ReloadOutcome::kDone: break;
  }
  return changed(result.changes);
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

HttpResponse level_response(const LogLevels& levels) {
  JsonWriter writer;
  writer.begin_object()
      .member("schema", kStatusSchema)
      .member("level", name_of(levels.now))
      .member("configured", name_of(levels.configured));
  return json_response(200, writer.end_object().take());
}

}  // namespace

HttpResponse config_route(const AdminServices& services, const HttpRequest&) {
  JsonWriter writer;
  writer.begin_object().member("schema", kStatusSchema).key("options").begin_array();
  for (const Setting& setting : services.settings()) {
    writer.begin_object()
        .member("option", setting.option)
        .member("value", setting.value)
        .member("origin", setting.origin)
        .member("reloadable", setting.reloadable)
        .end_object();
  }
  writer.end_array();
  return json_response(200, writer.end_object().take());
}

HttpResponse reload_route(const AdminServices& services, const HttpRequest& request) {
  const auto later = std::make_shared<DeferredResponse>();
  std::optional<std::uint32_t> by;
  if (request.peer) by = request.peer->uid;
  services.reload(by, [later](const ReloadResult& result) { later->fulfil(response_to(result)); });
  if (later->ready()) return later->take();
  HttpResponse response;
  response.later = later;
  return response;
}

HttpResponse log_level_route(const AdminServices& services, const HttpRequest&) {
  return level_response(services.log_levels());
}

HttpResponse set_log_level_route(const AdminServices& services, const HttpRequest& request) {
  const std::optional<LogLevel> level = read_level(request.body);
  if (!level) {
    return refusal(400, "bad_level", "invalid log level",
                   R"(send {"level": "debug"}, or "info", "warning" or "error")");
  }
  std::optional<std::uint32_t> by;
  if (request.peer) by = request.peer->uid;
  services.set_log_level(by, *level);
  return level_response(services.log_levels());
}

}  // namespace claimsd::daemon

#include "daemon/admin/event_routes.h"

#include <fmt/core.h>

#include "daemon/admin/event_feed.h"
#include "daemon/admin/status_json.h"
#include "daemon/base/json_writer.h"
#include "daemon/base/parse_integer.h"
#include "daemon/http/deferred_response.h"
#include "daemon/http/json_response.h"

namespace claimsd::admin {
namespace {

std::string_view breaker_text(claims::BreakerState state) {
  switch (state) {
    case claims::BreakerState::kClosed: return "closed";
    case claims::BreakerState::kOpen: return "open";
    case claims::BreakerState::kHalfOpen: return "half_open";
  }
  return "closed";
}

std::string_view subject_text(claims::Subject subject) {
  switch (subject) {
    case claims::Subject::kToken: return "token";
    case claims::Subject::kUser: return "user";
    case claims::Subject::kAllUsers: return "all_users";
  }
  return "token";
}

std::string_view name_at(const std::vector<UpstreamStatus>& upstreams, claims::UpstreamId at) {
  return at < upstreams.size() ? std::string_view(upstreams[at].name) : "";
}

void write_event(JsonWriter& json, std::uint64_t sequence, const Event& event,
                 const std::vector<UpstreamStatus>& upstreams) {
  json.begin_object()
      .member("sequence", sequence)
      .member("time", rfc3339(event.at))
      .member("event", name_of(event.kind));
  switch (event.kind) {
    case EventKind::kRequestCompleted:
      json.member("upstream", name_at(upstreams, event.upstream))
          .member("reason", name_of(event.reason))
          .member("http_status", event.http_status)
          .member("took_seconds", in_seconds(event.took));
      break;
    case EventKind::kBreakerChanged:
      json.member("upstream", name_at(upstreams, event.upstream))
          .member("state", breaker_text(event.breaker));
      break;
    case EventKind::kPurged:
    case EventKind::kRevoked:
      json.member("subject", subject_text(event.subject));
      json.member("uid", event.uid);
      break;
    case EventKind::kUnrevoked: json.member("uid", event.uid); break;
    case EventKind::kPeerRefused:
      json.member("uid", event.uid);
      json.member("why", event.why);
      break;
  }
  json.end_object();
}

http::Response events_after(const AdminServices& services, std::uint64_t after) {
  const DaemonStatus status = services.status();
  const EventFeed& feed = *services.events;
  // `after` came from a previous daemon, so start from the beginning.
  if (after > feed.last()) after = 0;
  std::uint64_t last = after;
  JsonWriter json;
  json.begin_object().member("schema", kStatusSchema);
  json.member("daemon_started", rfc3339(status.started)).key("events").begin_array();
  const std::uint64_t missed =
      feed.each_after(after, kMaxEventsAtOnce, [&](std::uint64_t sequence, const Event& event) {
        write_event(json, sequence, event, status.upstreams);
        last = sequence;
      });
  json.end_array().member("last", last).member("missed", missed);
  return http::json_response(200, json.end_object().take());
}

// 0 if absent; none if it is not a number up to `most`.
std::optional<std::uint64_t> number_of(const http::Request& request, std::string_view name,
                                       std::uint64_t most) {
  const auto text = request.parameter(name);
  if (!text) return 0;
  const auto number = parse_integer<std::uint64_t>(*text);
  if (number && *number > most) return std::nullopt;
  return number;
}

}  // namespace

http::Response events_route(const AdminServices& services, const http::Request& request) {
  const auto after = number_of(request, "after", UINT64_MAX);
  const auto patience = number_of(request, "wait", kMaxWaitSeconds);
  if (!after || !patience) {
    return http::error_response(
        400, "bad_parameter",
        fmt::format("after must be a number, and wait a number of seconds up to {}",
                    kMaxWaitSeconds),
        "use claimsctl monitor");
  }
  EventFeed& feed = *services.events;
  if (!request.parameter("after")) return events_after(services, feed.last());
  if (*patience == 0 || *after != feed.last()) return events_after(services, *after);
  const auto later = std::make_shared<http::DeferredResponse>();
  const auto waits =
      feed.wait(*after, seconds(*patience), request.uid(),
                [services, later, from = *after] { later->fulfil(events_after(services, from)); });
  if (!waits) {
    return http::error_response(503, "too_many_watch",
                                fmt::format("at most {} requests wait for events, {} of one user",
                                            EventFeed::kMaxWaiting, EventFeed::kMaxWaitingPerUid),
                                "stop another claimsctl monitor");
  }
  later->on_abandoned([&feed, id = *waits] { feed.cancel(id); });
  return http::response_of(later);
}

}  // namespace claimsd::admin

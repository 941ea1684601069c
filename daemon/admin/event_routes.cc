#include "daemon/admin/event_routes.h"

#include <fmt/core.h>

#include <charconv>

#include "daemon/admin/deferred_response.h"
#include "daemon/admin/event_feed.h"
#include "daemon/admin/status_json.h"
#include "daemon/base/json_writer.h"

namespace claimsd::daemon {
namespace {

std::string_view gate_text(GateState state) {
  switch (state) {
    case GateState::kClosed: return "asked";
    case GateState::kOpen: return "left_alone";
    case GateState::kProbing: return "probed";
  }
  return "asked";
}

std::string_view subject_text(Subject subject) {
  switch (subject) {
    case Subject::kToken: return "token";
    case Subject::kUser: return "user";
    case Subject::kEverybody: return "everybody";
  }
  return "token";
}

void write_uid(JsonWriter& json, const std::optional<std::uint32_t>& uid) {
  json.key("uid");
  if (uid) {
    json.value(*uid);
  } else {
    json.null();
  }
}

std::string_view name_at(const std::vector<UpstreamStatus>& upstreams, UpstreamId at) {
  return at < upstreams.size() ? std::string_view(upstreams[at].name) : "";
}

void write_event(JsonWriter& json, std::uint64_t sequence, const Event& event,
                 const std::vector<UpstreamStatus>& upstreams) {
  json.begin_object()
      .member("sequence", sequence)
      .member("time", rfc3339(event.at))
      .member("event", name_of(event.kind));
  switch (event.kind) {
    case EventKind::kFlightLanded:
      json.member("upstream", name_at(upstreams, event.upstream))
          .member("reason", name_of(event.reason))
          .member("http_status", event.http_status)
          .member("took_seconds", in_seconds(event.took));
      break;
    case EventKind::kGateChanged:
      json.member("upstream", name_at(upstreams, event.upstream))
          .member("state", gate_text(event.gate));
      break;
    case EventKind::kPurged:
    case EventKind::kRevoked:
      json.member("subject", subject_text(event.subject));
      write_uid(json, event.uid);
      break;
    case EventKind::kPeerRefused:
      write_uid(json, event.uid);
      json.member("why", event.why);
      break;
  }
  json.end_object();
}

HttpResponse events_after(const AdminServices& services, std::uint64_t after) {
  const DaemonStatus status = services.status();
  const EventFeed& feed = *services.events;
  // `after` came from a previous daemon, so start from the beginning.
  if (after > feed.last()) after = 0;
  std::uint64_t last = after;
  JsonWriter json;
  json.begin_object().member("schema", kStatusSchema);
  json.member("daemon_started", rfc3339(status.started)).key("events").begin_array();
  const std::uint64_t missed =
      feed.each_after(after, kMostEventsAtOnce, [&](std::uint64_t sequence, const Event& event) {
        write_event(json, sequence, event, status.upstreams);
        last = sequence;
      });
  json.end_array().member("last", last).member("missed", missed);
  return json_response(200, json.end_object().take());
}

// 0 if absent; none if it is not a number up to `most`.
std::optional<std::uint64_t> number_of(const HttpRequest& request, std::string_view name,
                                       std::uint64_t most) {
  const auto text = request.parameter(name);
  std::uint64_t number = 0;
  if (!text) return number;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), number);
  if (error != std::errc() || end != text->data() + text->size() || number > most)
    return std::nullopt;
  return number;
}

}  // namespace

HttpResponse events_route(const AdminServices& services, const HttpRequest& request) {
  const auto after = number_of(request, "after", UINT64_MAX);
  const auto patience = number_of(request, "wait", kLongestWaitSeconds);
  if (!after || !patience) {
    return refusal(400, "bad_parameter",
                   fmt::format("after must be a number, and wait a number of seconds up to {}",
                               kLongestWaitSeconds),
                   "use claimsctl monitor");
  }
  EventFeed& feed = *services.events;
  if (!request.parameter("after")) return events_after(services, feed.last());
  if (*patience == 0 || *after != feed.last()) return events_after(services, *after);
  const auto later = std::make_shared<DeferredResponse>();
  const bool waits = feed.wait(*after, seconds(*patience), [services, later, from = *after] {
    later->fulfil(events_after(services, from));
  });
  if (!waits) {
    return refusal(
        503, "too_many_watch",
        fmt::format("{} requests are already waiting for events", EventFeed::kMostWaiting),
        "stop another claimsctl monitor");
  }
  HttpResponse response;
  response.later = later;
  return response;
}

}  // namespace claimsd::daemon

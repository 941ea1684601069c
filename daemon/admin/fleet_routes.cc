#include "daemon/admin/fleet_routes.h"

#include <fmt/core.h>

#include <algorithm>

#include "daemon/admin/status_json.h"
#include "daemon/base/parse_integer.h"
#include "daemon/fleet/limits.h"
#include "daemon/http/deferred_response.h"
#include "daemon/http/json_response.h"

namespace claimsd::admin {
namespace {

Duration silent_after(std::size_t hosts) {
  return 3 * fleet::kRowInterval + 2 * fleet::rows_interval(hosts);
}

void write_host(JsonWriter& json, const fleet::HostStatus& host, WallTime redis_now,
                Duration limit) {
  const Duration age = std::max(Duration(0), redis_now - host.written_at);
  const bool silent = age > limit && !host.is_this_host;
  json.begin_object()
      .member("id", claims::text_of(claims::ActionId{host.id.bytes}))
      .member("name", host.name)
      .member("version", host.version)
      .member("state", silent ? "silent" : state_word(host.currency))
      .member("seen_seconds", in_seconds(age))
      .member("actions", host.items)
      .member("this_host", host.is_this_host)
      .end_object();
}

}  // namespace

std::string state_word(fleet::Currency currency) {
  std::string word = fleet::text_of(currency);
  std::replace(word.begin(), word.end(), ' ', '_');
  return word;
}

void write_fleet_status(JsonWriter& json, const FleetStatus& fleet) {
  json.member("on", fleet.on);
  if (!fleet.on) return;
  const fleet::FleetStatus& replica = fleet.replica;
  json.member("name", fleet.name)
      .member("host", fleet.host_name)
      .member("state", state_word(replica.currency))
      .member("current", replica.currency == fleet::Currency::kCurrent)
      .member("answers", replica.answers)
      .member("when_lost", fleet.serves_when_lost ? "serve" : "unavailable")
      .member("connected", fleet.connected)
      .member("server", fleet.server)
      .member("error", fleet.error)
      .member("last_pulse", replica.last_pulse, rfc3339)
      .member("pulse_age_seconds", replica.pulse_age, in_seconds)
      .member("clock_ahead_seconds", replica.clock_ahead, in_seconds)
      .member("hosts", replica.hosts)
      .member("actions", replica.items)
      .member("unpublished", replica.unpublished)
      .member("not_durable", replica.not_durable);
}

void write_acknowledgement(JsonWriter& json, const fleet::Acknowledgement& known) {
  json.key("everywhere")
      .begin_object()
      .member("complete", known.everywhere())
      .member("hosts", known.hosts)
      .member("acknowledged", known.acknowledged)
      .member("knows_all_hosts", known.knows_all_hosts)
      .key("missing")
      .begin_array();
  for (const std::string& name : known.missing) json.value(name);
  json.end_array().end_object();
}

namespace {

http::Response hosts_response(const DaemonStatus& status,
                              const std::vector<fleet::HostStatus>& hosts) {
  JsonWriter json;
  json.begin_object().member("schema", kStatusSchema).key("fleet").begin_object();
  write_fleet_status(json, status.fleet);
  json.end_object().key("hosts").begin_array();
  const Duration ahead = status.fleet.replica.clock_ahead.value_or(Duration(0));
  const Duration limit = silent_after(hosts.size());
  for (const fleet::HostStatus& host : hosts) write_host(json, host, status.now - ahead, limit);
  json.end_array();
  return http::json_response(200, json.end_object().take());
}

}  // namespace

http::Response fleet_route(const AdminServices& services, const http::Request&) {
  if (!services.fleet_hosts) return hosts_response(services.status(), {});
  const auto later = std::make_shared<http::DeferredResponse>();
  services.fleet_hosts([status = services.status, later](const auto& hosts) {
    later->fulfil(hosts_response(status(), hosts));
  });
  return http::response_of(later);
}

tl::expected<std::optional<Duration>, http::Response> read_everywhere(
    const AdminServices& services, const http::Request& request) {
  const auto text = request.parameter("everywhere");
  if (!text) return std::optional<Duration>();
  if (!services.await_fleet)
    return tl::unexpected(http::error_response(
        409, "no_fleet", "this host is in no fleet: nothing has changed",
        "leave out --everywhere, or add [fleet] to the configuration (claimsd.toml(5))"));
  const auto count = parse_integer<std::uint32_t>(*text);
  if (!count || *count < 1 || *count > kMaxEverywhereSeconds)
    return tl::unexpected(http::error_response(
        400, "bad_everywhere",
        fmt::format("everywhere must be a number of seconds from 1 to {}: nothing has changed",
                    kMaxEverywhereSeconds),
        "use claimsctl with --everywhere and --timeout"));
  return std::optional<Duration>(seconds(*count));
}

}  // namespace claimsd::admin

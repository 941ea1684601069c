#include "daemon/admin/action_routes.h"

#include "daemon/admin/status_json.h"
#include "daemon/base/json_writer.h"
#include "daemon/claims/revocation/action_parser.h"
#include "daemon/http/deferred_response.h"
#include "daemon/http/json_response.h"

namespace claimsd::admin {
namespace {

constexpr std::string_view kShape =
    R"(send {"token": "..."}, {"user": "ID"} or {"all_users": true}, or use claimsctl)";

http::Response response_to(const claims::ActionResult& result) {
  switch (result.outcome) {
    case claims::ActionOutcome::kNoToken:
      return http::error_response(400, "not_a_token",
                                  "this cannot be a token (RFC 6750, at most 32 KiB)",
                                  "send it as it was issued, without \"Bearer \"");
    case claims::ActionOutcome::kNoUser:
      return http::error_response(
          400, "not_an_id", "this cannot be a user id",
          "send the id claim as the Auth API returns it, at most 256 bytes");
    case claims::ActionOutcome::kFull:
      return http::error_response(
          507, "full", "the maximum number of revocations is reached: nothing has changed",
          "raise revocations.max_entries and restart claimsd");
    case claims::ActionOutcome::kDone: break;
  }
  if (!result.durable) {
    return http::error_response(
        503, "not_durable",
        "the purge or revocation is in effect, but could not be written to disk: a "
        "restart loses it",
        "find the disk error in the daemon's log, fix it, and repeat the command");
  }
  if (!result.recorded) {
    return http::error_response(
        503, "not_recorded",
        "the purge or revocation is in effect and survives a restart, but is not in the "
        "audit log yet",
        "find the cause with claimsctl status; it is recorded as soon as the audit log "
        "can be written");
  }
  JsonWriter json;
  json.begin_object().member("schema", kStatusSchema).member("done", true).key("until");
  if (result.until && *result.until != WallTime::max()) {
    json.value(rfc3339(*result.until));
  } else {
    json.null();
  }
  http::Response response;
  response.body = json.end_object().take() + "\n";
  return response;
}

http::Response carry_out(const AdminServices& services, const http::Request& request,
                         claims::ActionKind kind, const ActionTaker& take) {
  Result<claims::ParsedAction> parsed = claims::parse_action(request.body, kind);
  if (!parsed) return http::error_response(400, "bad_action", parsed.error().message, kShape);
  if (!parsed->upstream.empty()) {
    parsed->action.upstream = services.upstream_named(parsed->upstream);
    if (!parsed->action.upstream) {
      return http::error_response(400, "unknown_upstream", "there is no upstream with this name",
                                  "list the names with claimsctl status");
    }
  }
  if (request.peer) parsed->action.actor_uid = request.peer->uid;
  const auto later = std::make_shared<http::DeferredResponse>();
  take(parsed->action,
       [later](const claims::ActionResult& result) { later->fulfil(response_to(result)); });
  if (later->ready()) return later->take();
  http::Response response;
  response.later = later;
  return response;
}

}  // namespace

http::Response purge_route(const AdminServices& services, const http::Request& request) {
  return carry_out(services, request, claims::ActionKind::kPurge, services.purge);
}

http::Response revoke_route(const AdminServices& services, const http::Request& request) {
  return carry_out(services, request, claims::ActionKind::kRevoke, services.revoke);
}

}  // namespace claimsd::admin

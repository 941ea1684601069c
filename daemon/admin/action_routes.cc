#include "daemon/admin/action_routes.h"

#include "daemon/admin/deferred_response.h"
#include "daemon/admin/status_json.h"
#include "daemon/base/json_writer.h"
#include "daemon/claims/revocation/action_parser.h"

namespace claimsd::admin {
namespace {

constexpr std::string_view kShape =
    R"(send {"token": "..."}, {"user": "ID"} or {"all_users": true}; claimsctl does)";

HttpResponse response_to(const claims::ActionResult& result) {
  switch (result.outcome) {
    case claims::ActionOutcome::kNoToken:
      return error_response(400, "not_a_token",
                            "what was given cannot be a token (RFC 6750, 8 KiB)",
                            "send it as it was issued, without \"Bearer \"");
    case claims::ActionOutcome::kNoUser:
      return error_response(400, "not_an_id", "what was given cannot be a user's id",
                            "send the id claim as the Auth API gives it, at most 256 bytes");
    case claims::ActionOutcome::kFull:
      return error_response(507, "full",
                            "there is no room for another revocation: nothing has changed",
                            "raise revocations.max_entries and restart the daemon");
    case claims::ActionOutcome::kDone: break;
  }
  if (!result.durable) {
    return error_response(
        503, "not_durable",
        "the order is in effect, but could not be written to disk: it ends with this "
        "daemon",
        "see the daemon's log for what is wrong with the disk, then give it again");
  }
  if (!result.recorded) {
    return error_response(
        503, "not_recorded",
        "the order is in effect and survives a restart, but the audit log has no record "
        "of it yet",
        "see claimsctl status for what is wrong with the audit log; it is recorded as "
        "soon as that is mended");
  }
  JsonWriter json;
  json.begin_object().member("schema", kStatusSchema).member("done", true).key("until");
  if (result.until && *result.until != WallTime::max()) {
    json.value(rfc3339(*result.until));
  } else {
    json.null();
  }
  HttpResponse response;
  response.body = json.end_object().take() + "\n";
  return response;
}

HttpResponse carry_out(const AdminServices& services, const HttpRequest& request,
                       claims::ActionKind kind, const ActionTaker& take) {
  Result<claims::ParsedAction> parsed = claims::parse_action(request.body, kind);
  if (!parsed) return error_response(400, "bad_action", parsed.error().message, kShape);
  if (!parsed->upstream.empty()) {
    parsed->action.upstream = services.upstream_named(parsed->upstream);
    if (!parsed->action.upstream) {
      return error_response(400, "unknown_upstream", "there is no upstream of that name",
                            "claimsctl status lists their names");
    }
  }
  if (request.peer) parsed->action.actor_uid = request.peer->uid;
  const auto later = std::make_shared<DeferredResponse>();
  take(parsed->action,
       [later](const claims::ActionResult& result) { later->fulfil(response_to(result)); });
  if (later->ready()) return later->take();
  HttpResponse response;
  response.later = later;
  return response;
}

}  // namespace

HttpResponse purge_route(const AdminServices& services, const HttpRequest& request) {
  return carry_out(services, request, claims::ActionKind::kPurge, services.purge);
}

HttpResponse revoke_route(const AdminServices& services, const HttpRequest& request) {
  return carry_out(services, request, claims::ActionKind::kRevoke, services.revoke);
}

}  // namespace claimsd::admin

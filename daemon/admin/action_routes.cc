#include "daemon/admin/action_routes.h"

#include <fmt/core.h>

#include "daemon/admin/fleet_routes.h"
#include "daemon/admin/status_json.h"
#include "daemon/base/json_writer.h"
#include "daemon/claims/revocation/action_parser.h"
#include "daemon/http/deferred_response.h"
#include "daemon/http/json_response.h"

namespace claimsd::admin {
namespace {

constexpr std::string_view kShape =
    R"(send {"token": "..."}, {"user": "ID"} or {"all_users": true}, or use claimsctl)";

// `everywhere`: null unless the order was to wait for all hosts.
http::Response response_to(const claims::ActionResult& result,
                           const fleet::Acknowledgement* everywhere) {
  switch (result.outcome) {
    case claims::ActionOutcome::kNoToken:
      return http::error_response(400, "not_a_token",
                                  "this cannot be a token (visible ASCII, at most 32 KiB)",
                                  "send it as it was issued, without \"Bearer \"");
    case claims::ActionOutcome::kNoUser:
      return http::error_response(
          400, "not_an_id", "this cannot be a user id",
          "send the id claim as the Auth API returns it, at most 256 bytes");
    case claims::ActionOutcome::kFull:
      return http::error_response(
          507, "full", "the maximum number of revocations is reached: nothing has changed",
          "raise revocations.max_entries and restart claimsd");
    case claims::ActionOutcome::kUnknownAction:
      return http::error_response(404, "unknown_action", "no revocation has this id",
                                  "list the ids with claimsctl revocations");
    case claims::ActionOutcome::kWithdrawnEarlier:
      return http::error_response(410, "withdrawn", "this revocation is withdrawn already",
                                  "nothing needs to be done");
    case claims::ActionOutcome::kNotWithdrawable:
      return http::error_response(400, "not_withdrawable",
                                  "this is a purge: it invalidates no token",
                                  "nothing needs to be done");
    case claims::ActionOutcome::kDone: break;
  }
  const bool ends = result.until && *result.until != WallTime::max();
  JsonWriter json;
  json.begin_object()
      .member("schema", kStatusSchema)
      .member("done", true)
      .member("durable", result.durable)
      .member("recorded", result.recorded)
      .member("id", result.id, claims::text_of)
      .member("made", rfc3339(result.made_at))
      .member("until", ends ? result.until : std::nullopt, rfc3339)
      .member("other_spellings", result.other_spellings)
      .member("known", result.known);
  if (everywhere != nullptr) write_acknowledgement(json, *everywhere);
  const bool final =
      result.durable && result.recorded && (everywhere == nullptr || everywhere->everywhere());
  return http::json_response(final ? 200 : 202, json.end_object().take());
}

// What an order waits for after it is on disk: all hosts of the fleet, until a time-out.
struct Everywhere {
  bool is_withdrawal = false;
  std::optional<Duration> timeout;  // none: it waits for no other host
};

// Calls `start` with the callback for its result.
template <class Start>
http::Response respond_later(const AdminServices& services, const Everywhere& everywhere,
                             Start&& start) {
  const auto later = std::make_shared<http::DeferredResponse>();
  start([await = services.await_fleet, everywhere, later](const claims::ActionResult& result) {
    if (!everywhere.timeout || result.outcome != claims::ActionOutcome::kDone)
      return later->fulfil(response_to(result, nullptr));
    const auto respond = [result, later](const fleet::Acknowledgement& known) {
      later->fulfil(response_to(result, &known));
    };
    if (!result.id || !await(*result.id, everywhere.is_withdrawal, *everywhere.timeout, respond))
      respond({});
  });
  return http::response_of(later);
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
  if (const auto uid = request.uid()) parsed->action.actor_uid = *uid;
  const auto everywhere = read_everywhere(services, request);
  if (!everywhere) return everywhere.error();
  const bool purges_token =
      kind == claims::ActionKind::kPurge && parsed->action.subject == claims::Subject::kToken;
  if (*everywhere && purges_token)
    return http::error_response(400, "not_shared",
                                "the purge of one token is for this host only: nothing has changed",
                                "purge its user everywhere, or revoke the token everywhere");
  return respond_later(services, {.timeout = *everywhere},
                       [&](claims::ActionDone done) { take(parsed->action, std::move(done)); });
}

std::string_view name_of(claims::RuleKind kind) {
  switch (kind) {
    case claims::RuleKind::kToken: return "token";
    case claims::RuleKind::kUser: return "user";
    case claims::RuleKind::kLock: return "lock";
    case claims::RuleKind::kAllUsers: return "all_users";
    case claims::RuleKind::kPurgeUser:
    case claims::RuleKind::kPurgeAllUsers: break;
  }
  return "purge";
}

std::optional<std::uint32_t> known_uid(std::optional<std::uint32_t> uid) {
  return uid == claims::kUnknownActor ? std::nullopt : uid;
}

// The id of the fleet's host that ordered it; null for an action of this host only.
std::optional<std::string> author_of(const claims::HostId& host) {
  if (host == claims::HostId{}) return std::nullopt;
  return claims::text_of(claims::ActionId{host.bytes});
}

void write_action(JsonWriter& json, const claims::ActionDescription& action) {
  json.begin_object()
      .member("id", claims::text_of(action.id))
      .member("kind", name_of(action.kind))
      .member("made", rfc3339(action.made_at))
      .member("until", rfc3339(action.until))
      .member("author_host", author_of(action.author))
      .member("actor_uid", known_uid(action.actor_uid))
      .member("withdrawn", action.withdrawn_at, rfc3339)
      .member("withdrawn_by_uid", known_uid(action.withdrawn_by))
      .end_object();
}

}  // namespace

http::Response purge_route(const AdminServices& services, const http::Request& request) {
  return carry_out(services, request, claims::ActionKind::kPurge, services.purge);
}

http::Response revoke_route(const AdminServices& services, const http::Request& request) {
  return carry_out(services, request, claims::ActionKind::kRevoke, services.revoke);
}

http::Response unrevoke_route(const AdminServices& services, const http::Request& request) {
  const Result<claims::ActionId> id = claims::parse_action_id(request.body);
  if (!id)
    return http::error_response(400, "bad_action", id.error().message,
                                "list the ids with claimsctl revocations");
  const auto everywhere = read_everywhere(services, request);
  if (!everywhere) return everywhere.error();
  return respond_later(
      services, {.is_withdrawal = true, .timeout = *everywhere},
      [&](claims::ActionDone done) { services.unrevoke(*id, request.uid(), std::move(done)); });
}

http::Response revocations_route(const AdminServices& services, const http::Request& request) {
  const auto limit = read_limit(request, kMaxActionsOnPage);
  std::optional<claims::ActionId> after;
  if (const auto text = request.parameter("after")) after = claims::action_id_of(*text);
  if (!limit || (request.parameter("after") && !after)) {
    return http::error_response(
        400, "bad_page",
        fmt::format("limit must be a number from 1 to {}, and after the next "
                    "value of an earlier page",
                    kMaxActionsOnPage),
        "use claimsctl revocations");
  }
  JsonWriter json;
  json.begin_object().member("schema", kStatusSchema).key("revocations").begin_array();
  const auto next = services.list_actions(
      after, *limit, [&](const claims::ActionDescription& action) { write_action(json, action); });
  json.end_array().member("next", next, claims::text_of);
  return http::json_response(200, json.end_object().take());
}

}  // namespace claimsd::admin

#include "daemon/front_door/decision.h"

#include <fmt/core.h>

#include "daemon/front_door/identity.h"
#include "daemon/http/json_response.h"
#include "proto/claims_block.h"

namespace claimsd::front_door {
namespace {

using Kind = Decision::Kind;

constexpr Duration kRetryAfter = seconds(1);  // if there is no advice

http::Response valid(const Decision& decision) {
  proto::ClaimsView claims;
  if (!proto::decode_claims(decision.claims.view(), claims)) {
    return http::error_response(503, "internal", "the daemon could not read its own claims",
                                "see the daemon's log");
  }
  http::Response response;
  if (decision.resource == Resource::kDocument) {
    response.body = decision.document.view().empty() ? claims.raw : decision.document.view();
  } else {
    response.headers = identity_headers(claims);
  }
  return response;
}

http::Response unauthorized(const Decision& decision, const std::string& realm) {
  const bool sent = decision.kind == Kind::kAnswered;
  http::Response response = http::error_response(
      401, sent ? proto::name_of(decision.reason) : "no_token",
      sent ? proto::sentence_of(decision.reason) : "the request has no bearer token",
      sent ? "log in again" : "send the header Authorization: Bearer TOKEN");
  // RFC 6750, section 3.1: without credentials there is no error code.
  response.headers.emplace_back(
      "WWW-Authenticate",
      fmt::format("Bearer realm=\"{}\"{}", realm, sent ? ", error=\"invalid_token\"" : ""));
  return response;
}

http::Response unavailable(const Decision& decision) {
  http::Response response = http::error_response(503, proto::name_of(decision.reason),
                                                 proto::sentence_of(decision.reason),
                                                 "try again after the time in Retry-After");
  const Duration wait = decision.retry_after > Duration(0) ? decision.retry_after : kRetryAfter;
  response.headers.emplace_back(
      "Retry-After", std::to_string(std::chrono::ceil<std::chrono::seconds>(wait).count()));
  return response;
}

}  // namespace

Target target_of(Resource resource, std::string_view gate,
                 const std::optional<loop::PeerCredentials>& peer, const Settings& settings) {
  if (peer && !settings.admission.allows(peer->uid, peer->gid)) return {Kind::kNotPermitted};
  if (resource == Resource::kDocument)
    return {settings.serves_document ? Kind::kAnswered : Kind::kNoDocument, nullptr,
            settings.upstream};
  const Gate* const found = settings.gate(gate);
  if (found == nullptr) return {Kind::kUnknownGate};
  return {Kind::kAnswered, found, found->upstream};
}

unsigned status_of(const Decision& decision) {
  switch (decision.kind) {
    case Kind::kNoToken: return 401;
    case Kind::kDenied:
    case Kind::kNotPermitted: return 403;
    case Kind::kUnknownGate:
    case Kind::kNoDocument: return 404;
    case Kind::kAnswered: break;
  }
  switch (proto::verdict_of(decision.reason)) {
    case proto::Verdict::kValid: return 200;
    case proto::Verdict::kInvalid: return 401;
    case proto::Verdict::kUnavailable: break;
  }
  return 503;
}

http::Response response_of(const Decision& decision, const std::string& realm) {
  switch (decision.kind) {
    case Kind::kDenied:
      return http::error_response(403, "denied", "the user has none of the roles of this gate",
                                  "ask for access");
    case Kind::kNotPermitted:
      return http::error_response(403, "not_permitted", "this user may not ask claimsd",
                                  "add it to daemon.allowed_uids or to a group of allowed_gids");
    case Kind::kUnknownGate:
      return http::error_response(404, "unknown_gate", "there is no such gate",
                                  "add [http.gate.NAME] to the daemon's configuration");
    case Kind::kNoDocument:
      return http::error_response(404, "no_document", "no default upstream serves a document",
                                  "use /v1/auth/GATE with a gate of another upstream");
    case Kind::kNoToken: return unauthorized(decision, realm);
    case Kind::kAnswered: break;
  }
  switch (status_of(decision)) {
    case 200: return valid(decision);
    case 401: return unauthorized(decision, realm);
    default: return unavailable(decision);
  }
}

}  // namespace claimsd::front_door

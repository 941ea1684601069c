#include "daemon/admin/upstream_test.h"

#include "daemon/admin/routes.h"
#include "daemon/admin/status_json.h"
#include "daemon/base/json_writer.h"
#include "daemon/claims/revocation/action_parser.h"
#include "daemon/http/deferred_response.h"
#include "daemon/http/json_response.h"

namespace claimsd::admin {
namespace {

void write_document(JsonWriter& json, std::string_view name,
                    const std::optional<claims::DocumentReport>& document) {
  json.key(name);
  if (!document) {
    json.null();
    return;
  }
  json.begin_object()
      .member("is_object", document->is_object)
      .member("problem", document->problem)
      .member("cut", document->cut)
      .key("members")
      .begin_array();
  for (const claims::MemberReport& member : document->members)
    json.begin_object().member("at", member.at).member("what", member.what).end_object();
  json.end_array().key("claims").begin_array();
  for (const claims::ClaimReport& claim : document->claims) {
    json.begin_object()
        .member("option", claim.option)
        .member("claim", claim.claim)
        .member("good", claim.good)
        .member("found", claim.found)
        .member("hint", claim.hint)
        .end_object();
  }
  json.end_array().end_object();
}

http::Response response_to(const UpstreamTest& test) {
  JsonWriter json;
  json.begin_object()
      .member("schema", kStatusSchema)
      .member("upstream", test.upstream)
      .member("verdict", proto::name_of(proto::verdict_of(test.reason)))
      .member("reason", proto::name_of(test.reason))
      .member("text", proto::sentence_of(test.reason))
      .member("detail", test.detail)
      .member("status", test.status)
      .member("took_seconds", in_seconds(test.took))
      .member("content_type", test.content_type)
      .member("cache_control", test.cache_control)
      .member("body_bytes", test.body_bytes)
      .member("truncated", test.truncated);
  write_document(json, "token", test.token);
  write_document(json, "document", test.document);
  return http::json_response(200, json.end_object().take());
}

}  // namespace

http::Response upstream_test_route(const AdminServices& services, const http::Request& request) {
  const Result<claims::ParsedAction> parsed =
      claims::parse_action(request.body, claims::ActionKind::kPurge);
  if (!parsed || parsed->action.subject != claims::Subject::kToken) {
    return http::error_response(400, "bad_question",
                                "the body must be an object with the member token",
                                R"(send {"token": "..."}, or use claimsctl test-upstream)");
  }
  if (claims::check_token(parsed->action.who) != proto::Reason::kOk) {
    return http::error_response(400, "not_a_token",
                                "this cannot be a token (visible ASCII, at most 32 KiB)",
                                "send it as it was issued, without \"Bearer \"");
  }
  const std::string name(request.parameter("upstream").value_or(""));
  const auto later = std::make_shared<http::DeferredResponse>();
  const TestStart start = services.test_upstream(
      name, parsed->action.who, request.uid(),
      [later](const UpstreamTest& test) { later->fulfil(response_to(test)); });
  switch (start) {
    case TestStart::kUnknownUpstream:
      return http::error_response(400, "unknown_upstream",
                                  name.empty()
                                      ? "there are several upstreams and none is the default"
                                      : "there is no upstream with this name",
                                  "list the names with claimsctl status");
    case TestStart::kBusy:
      return http::error_response(503, "busy", "too many tests are in progress",
                                  "try again in a few seconds");
    case TestStart::kStarted: break;
  }
  return http::response_of(later);
}

}  // namespace claimsd::admin

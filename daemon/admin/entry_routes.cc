#include "daemon/admin/entry_routes.h"

#include <fmt/core.h>

#include "daemon/admin/status_json.h"
#include "daemon/base/hex.h"
#include "daemon/base/json_writer.h"
#include "daemon/claims/revocation/action_parser.h"
#include "daemon/http/json_response.h"

namespace claimsd::admin {
namespace {

std::string in_hex(const claims::TokenKey& key) {
  return hex_text(key.bytes);
}

std::optional<claims::TokenKey> key_from_hex(std::string_view text) {
  const auto bytes = array_from_hex<sizeof(claims::TokenKey::bytes)>(text);
  return bytes ? std::optional(claims::TokenKey{*bytes}) : std::nullopt;
}

void write_moment(JsonWriter& json, std::string_view name, WallTime time, WallTime none) {
  json.key(name);
  if (time == none) {
    json.null();
  } else {
    json.value(rfc3339(time));
  }
}

void write_entry(JsonWriter& json, const claims::EntryDescription& entry) {
  json.begin_object()
      .member("entry", in_hex(entry.key).substr(0, 16))
      .member("user", entry.user)
      .member("state", name_of(entry.state))
      .member("age_seconds", in_seconds(entry.age))
      .member("ttl_seconds", in_seconds(entry.ttl_remaining))
      .member("lease_remaining_seconds", in_seconds(entry.lease_remaining));
  write_moment(json, "token_expires", entry.expires_at, WallTime::max());
  write_moment(json, "token_issued", entry.issued_at, WallTime::min());
  json.member("truncated", entry.truncated).end_object();
}

void write_rejection(JsonWriter& json,
                     const std::optional<claims::NegativeCache::Rejection>& rejection,
                     BootTime now) {
  json.key("rejection");
  if (!rejection) {
    json.null();
    return;
  }
  json.begin_object()
      .member("reason", name_of(rejection->reason))
      .member("age_seconds", in_seconds(now - rejection->rejected_at))
      .member("ttl_seconds", in_seconds(rejection->until - now))
      .end_object();
}

}  // namespace

http::Response entries_route(const AdminServices& services, const http::Request& request) {
  const auto limit = read_limit(request, kMaxEntriesOnPage);
  if (!limit) {
    return http::error_response(
        400, "bad_limit", fmt::format("limit must be a number from 1 to {}", kMaxEntriesOnPage),
        "use claimsctl entries");
  }
  std::optional<claims::TokenKey> after;
  if (const auto cursor = request.parameter("after")) {
    after = key_from_hex(*cursor);
    if (!after) {
      return http::error_response(400, "bad_cursor",
                                  "after must be the next value of an earlier page",
                                  "omit it to get the first page");
    }
  }
  const auto user = request.parameter("user");
  JsonWriter json;
  json.begin_object().member("schema", kStatusSchema).key("entries").begin_array();
  // With a user filter most entries are skipped, so more of them are examined per page.
  const auto next = services.inspect(after, user ? kMaxEntriesOnPage : *limit,
                                     [&](const claims::EntryDescription& entry) {
                                       if (!user || entry.user == *user) write_entry(json, entry);
                                     });
  json.end_array().member("next", next, in_hex);
  return http::json_response(200, json.end_object().take());
}

http::Response entry_route(const AdminServices& services, const http::Request& request) {
  const Result<claims::ParsedAction> parsed =
      claims::parse_action(request.body, claims::ActionKind::kPurge);
  if (!parsed || parsed->action.subject != claims::Subject::kToken) {
    return http::error_response(400, "bad_question",
                                "the body must be an object with the member token only",
                                R"(send {"token": "..."}, or use claimsctl show)");
  }
  if (claims::check_token(parsed->action.who) != proto::Reason::kOk) {
    return http::error_response(400, "not_a_token",
                                "this cannot be a token (visible ASCII, at most 32 KiB)",
                                "send it as it was issued, without \"Bearer \"");
  }
  const DaemonStatus status = services.status();
  JsonWriter json;
  json.begin_object().member("schema", kStatusSchema).key("upstreams").begin_array();
  services.inspect_token(parsed->action.who, [&](const claims::TokenFinding& finding) {
    json.begin_object()
        .member("upstream", status.upstreams.at(finding.upstream).name)
        .member("revoked", finding.revoked)
        .member("in_flight", finding.in_flight);
    write_rejection(json, finding.rejection, services.now().boot);
    json.key("entry");
    if (finding.entry) {
      write_entry(json, *finding.entry);
    } else {
      json.null();
    }
    json.end_object();
  });
  return http::json_response(200, json.end_array().end_object().take());
}

}  // namespace claimsd::admin

#include "daemon/admin/audit_route.h"

#include "daemon/admin/status_json.h"
#include "daemon/base/hex.h"
#include "daemon/base/json_writer.h"
#include "daemon/http/deferred_response.h"
#include "daemon/http/json_response.h"

namespace claimsd::admin {
namespace {

http::Response response_to(const Result<audit::Page>& page) {
  if (!page) {
    return http::error_response(503, "audit_unreadable", page.error().message,
                                "see claimsctl status, and the daemon's log");
  }
  JsonWriter json;
  json.begin_object().member("schema", kStatusSchema);
  json.member("next", page->next).member("last", page->last);
  json.key("newest").begin_object().member("first", page->newest.first);
  json.member("origin", page->newest.origin)
      .member("before", hex_text(audit::bytes_of(page->newest.before)));
  json.member("events", page->newest.events).end_object();
  json.key("records").begin_array();
  for (const audit::Page::Row& row : page->records) {
    const std::optional<audit::Record> record = audit::decode_audit_record(row.record);
    json.begin_object().member("record", hex_text(row.record));
    json.member("link", hex_text(audit::bytes_of(row.link)));
    json.member("line", record ? audit::audit_line(*record) : std::string()).end_object();
  }
  return http::json_response(200, json.end_array().end_object().take());
}

}  // namespace

http::Response audit_route(const AdminServices& services, const http::Request& request) {
  if (!services.audit) {
    return http::error_response(404, "no_audit", "the audit log is off",
                                "set audit.enabled = true and restart claimsd");
  }
  const Result<audit::SearchFilter> query = audit::audit_query_from(request.parameters);
  if (!query)
    return http::error_response(400, "bad_query", query.error().message,
                                "use claimsctl audit search");
  const auto later = std::make_shared<http::DeferredResponse>();
  services.audit(*query,
                 [later](const Result<audit::Page>& page) { later->fulfil(response_to(page)); });
  return http::response_of(later);
}

}  // namespace claimsd::admin

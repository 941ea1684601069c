#include "daemon/admin/audit_route.h"

#include "daemon/admin/deferred_response.h"
#include "daemon/admin/status_json.h"
#include "daemon/base/json_writer.h"

namespace claimsd::daemon {
namespace {

HttpResponse response_to(const Result<AuditPage>& page) {
  if (!page) {
    return refusal(503, "audit_unreadable", page.error().message,
                   "see claimsctl status, and the daemon's log");
  }
  JsonWriter json;
  json.begin_object().member("schema", kStatusSchema);
  json.member("next", page->next).member("last", page->last);
  json.key("newest").begin_object().member("first", page->newest.first);
  json.member("origin", page->newest.origin)
      .member("before", hex_text(bytes_of(page->newest.before)));
  json.member("events", page->newest.events).end_object();
  json.key("records").begin_array();
  for (const AuditPage::Row& row : page->records) {
    const std::optional<AuditRecord> record = decode_audit_record(row.record);
    json.begin_object().member("record", hex_text(row.record));
    json.member("link", hex_text(bytes_of(row.link)));
    json.member("line", record ? audit_line(*record) : std::string()).end_object();
  }
  return json_response(200, json.end_array().end_object().take());
}

}  // namespace

HttpResponse audit_route(const AdminServices& services, const HttpRequest& request) {
  if (!services.audit) {
    return refusal(404, "no_audit", "the audit log is off",
                   "set audit.enabled = true and restart claimsd");
  }
  const Result<AuditQuery> query = audit_query_from(request.parameters);
  if (!query) return refusal(400, "bad_query", query.error().message, "use claimsctl audit search");
  const auto later = std::make_shared<DeferredResponse>();
  services.audit(*query,
                 [later](const Result<AuditPage>& page) { later->fulfil(response_to(page)); });
  if (later->ready()) return later->take();
  HttpResponse response;
  response.later = later;
  return response;
}

}  // namespace claimsd::daemon

// audit_route.h: the audit log of the running daemon over the admin API.
//
// GET /v1/audit?first=N&user=...: a page of the records that match (audit/live_query.h), each as it
// is stored, in hexadecimal (FORMAT.md), and as the line that people read. Loop thread; the log's
// own thread reads.
#pragma once

#include "daemon/admin/routes.h"

namespace claimsd::daemon {

HttpResponse audit_route(const AdminServices& services, const HttpRequest& request);

}  // namespace claimsd::daemon

// audit_route.h: serves the running daemon's audit log over the admin API. Loop thread; the audit
// thread reads.
//
// GET /v1/audit?first=N&user=... returns one page of matching records (audit/live_query.h). Each
// record comes in its stored form, in hexadecimal (FORMAT.md), and as a line for people.
#pragma once

#include "daemon/admin/routes.h"

namespace claimsd::admin {

http::Response audit_route(const AdminServices& services, const http::Request& request);

}  // namespace claimsd::admin

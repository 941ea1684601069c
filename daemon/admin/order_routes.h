// order_routes.h: POST /v1/purge and /v1/revoke: an operator's orders, and what came of them.
//
// The body holds a token or an id; neither is repeated in a response. Loop thread.
#pragma once

#include "daemon/admin/routes.h"

namespace claimsd::daemon {

HttpResponse purge_route(const AdminServices& services, const HttpRequest& request);
HttpResponse revoke_route(const AdminServices& services, const HttpRequest& request);

}  // namespace claimsd::daemon

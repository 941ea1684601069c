// retry_route.h: POST /v1/retry?upstream=NAME ends the backoff of an Auth API, or of all. Loop thread.
#pragma once

#include "daemon/admin/routes.h"

namespace claimsd::admin {

http::Response retry_route(const AdminServices& services, const http::Request& request);

}  // namespace claimsd::admin

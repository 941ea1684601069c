// action_routes.h: POST /v1/purge and /v1/revoke: carry out an operator's order and return its
// result. Loop thread.
//
// The body holds a token or a user id. A response never repeats either.
#pragma once

#include "daemon/admin/routes.h"

namespace claimsd::admin {

http::Response purge_route(const AdminServices& services, const http::Request& request);
http::Response revoke_route(const AdminServices& services, const http::Request& request);

}  // namespace claimsd::admin

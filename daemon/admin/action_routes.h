// action_routes.h: POST /v1/purge, /v1/revoke and /v1/unrevoke: carry out an operator's order and
// return its result; GET /v1/revocations: what can be withdrawn. Loop thread.
//
// The body holds a token or a user id. A response never repeats either. 200: the order is on disk
// and recorded. With ?everywhere=SECONDS (fleet_routes.h) it is also in effect on all hosts of the
// fleet. 202: it is in effect, but not on disk or not in the audit log yet.
#pragma once

#include "daemon/admin/routes.h"

namespace claimsd::admin {

http::Response purge_route(const AdminServices& services, const http::Request& request);
http::Response revoke_route(const AdminServices& services, const http::Request& request);
http::Response unrevoke_route(const AdminServices& services, const http::Request& request);

inline constexpr std::size_t kMaxActionsOnPage = 500;
// ?after=ID&limit=N. Continue while `next` is present.
http::Response revocations_route(const AdminServices& services, const http::Request& request);

}  // namespace claimsd::admin

// entry_routes.h: GET /v1/entries and POST /v1/entry: what the cache holds, and what is known about
// one token. Loop thread.
//
// Responses never contain a token, and of the claims only the user's id: an operator does not need
// to know who the users are. The holder of a token can query its claims as a worker does.
#pragma once

#include "daemon/admin/routes.h"

namespace claimsd::admin {

// Most entries examined per request and returned per page. Keeps a page below 1 ms on the loop.
inline constexpr std::size_t kMaxEntriesOnPage = 500;

// ?after=CURSOR&limit=N&user=ID. A page may have fewer rows than `limit`, or none, before the last
// one: continue while `next` is present.
http::Response entries_route(const AdminServices& services, const http::Request& request);
// {"token": "..."} in the body.
http::Response entry_route(const AdminServices& services, const http::Request& request);

}  // namespace claimsd::admin

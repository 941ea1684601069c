// entry_routes.h: GET /v1/entries and POST /v1/entry: what the cache holds, and what is known of
// one token.
//
// Never a token, and of the claims the user's id alone: who may look after the daemon need not know
// who its users are. Whoever holds a token can ask for its claims as a worker does. Loop thread.
#pragma once

#include "daemon/admin/routes.h"

namespace claimsd::daemon {

// Entries looked at by one request, and on one page: a page costs a millisecond of the loop at
// most.
inline constexpr std::size_t kMostEntriesOnPage = 500;

// ?after=CURSOR&limit=N&user=ID. A page may have fewer rows than `limit`, or none, and still not be
// the last: `next` says.
HttpResponse entries_route(const AdminServices& services, const HttpRequest& request);
// {"token": "..."} in the body.
HttpResponse entry_route(const AdminServices& services, const HttpRequest& request);

}  // namespace claimsd::daemon

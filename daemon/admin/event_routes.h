// event_routes.h: GET /v1/events: what happens, to whoever watches. A request may wait for the next
// event; what came while nobody asked is there for the next one, as long as the feed holds it
// (event_feed.h). Loop thread.
#pragma once

#include "daemon/admin/routes.h"

namespace claimsd::daemon {

inline constexpr std::size_t kMostEventsAtOnce = 256;
inline constexpr std::uint64_t kLongestWaitSeconds = 30;

// ?after=SEQUENCE&wait=SECONDS. Without `after`: none, and where to begin.
HttpResponse events_route(const AdminServices& services, const HttpRequest& request);

}  // namespace claimsd::daemon

// event_routes.h: GET /v1/events: the event feed over HTTP. A request may wait for the next event.
// Events between two requests are kept as long as the feed holds them (event_feed.h). Loop thread.
#pragma once

#include "daemon/admin/routes.h"

namespace claimsd::admin {

inline constexpr std::size_t kMaxEventsAtOnce = 256;
inline constexpr std::uint64_t kMaxWaitSeconds = 30;

// ?after=SEQUENCE&wait=SECONDS. Without `after` it returns no events, only where to start.
http::Response events_route(const AdminServices& services, const http::Request& request);

}  // namespace claimsd::admin

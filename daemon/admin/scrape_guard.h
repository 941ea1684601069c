// scrape_guard.h: what the listener for Prometheus lets through. It is open to whoever can reach
// the loopback, so: rows of the table that are marked for it, GET and HEAD, and a Host that says
// loopback. A page in somebody's browser can make requests to 127.0.0.1, but under the name of its
// own host (DNS rebinding), which is refused here. Pure.
#pragma once

#include "daemon/admin/routes.h"

namespace claimsd::daemon {

// "localhost", 127.0.0.0/8 or [::1], with a port or without.
bool names_loopback(std::string_view host);

HttpResponse dispatch_scrape(const AdminServices& services, const HttpRequest& request);

}  // namespace claimsd::daemon

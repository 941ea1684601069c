// scrape_guard.h: restricts the listener for Prometheus, which any local process can reach: only
// routes marked scrapable, only GET and HEAD, and only a Host header that names loopback. The last
// rule stops DNS rebinding: a web page in a local browser can send requests to 127.0.0.1, but only
// under its own host name. Pure; loop thread.
#pragma once

#include "daemon/admin/routes.h"

namespace claimsd::admin {

http::Response dispatch_scrape(const AdminServices& services, const http::Request& request);

}  // namespace claimsd::admin

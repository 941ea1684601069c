#include "daemon/admin/scrape_guard.h"

#include <algorithm>

#include "daemon/http/json_response.h"
#include "daemon/http/loopback_host.h"

namespace claimsd::admin {
http::Response dispatch_scrape(const AdminServices& services, const http::Request& request) {
  if (!http::names_loopback(request.host)) {
    return http::error_response(403, "wrong_host", "the Host header must name the loopback",
                                "use http://localhost or http://127.0.0.1 with the port");
  }
  const auto table = routes();
  const bool open = std::any_of(table.begin(), table.end(), [&](const Route& route) {
    return route.scrapable && route.path == request.path;
  });
  if (!open) {
    return http::error_response(404, "not_found",
                                "this listener serves /metrics, /healthz and /readyz only",
                                "use the admin socket for everything else");
  }
  return dispatch(services, request);
}

}  // namespace claimsd::admin

#include "daemon/admin/scrape_guard.h"

#include <algorithm>

#include "daemon/http/json_response.h"
#include "daemon/http/loopback_host.h"

namespace claimsd::admin {
http::Response dispatch_scrape(const AdminServices& services, const http::Request& request) {
  if (!http::names_loopback(request.host)) return http::wrong_host_response();
  const auto table = routes();
  const bool open = std::any_of(table.begin(), table.end(), [&](const Route& route) {
    return route.kind == Route::Kind::kScrape && route.path == request.path;
  });
  if (!open) {
    return http::error_response(404, "not_found",
                                "this listener serves /metrics, /healthz and /readyz only",
                                "use the admin socket for everything else");
  }
  return dispatch(services, request);
}

http::Response ScrapeCache::dispatch(const AdminServices& services, const http::Request& request) {
  const BootTime now = services.now().boot;
  const bool reads = request.method == "GET" || request.method == "HEAD";
  const auto found = std::find_if(kept_.begin(), kept_.end(), [&](const Kept& kept) {
    return kept.path == request.path && now < kept.until;
  });
  if (reads && found != kept_.end() && http::names_loopback(request.host)) return found->response;
  http::Response response = dispatch_scrape(services, request);
  // Only paths that exist are kept: the table does not grow.
  if (!reads || (response.status != 200 && response.status != 503)) return response;
  std::erase_if(kept_, [&](const Kept& kept) { return kept.path == request.path; });
  kept_.push_back({std::string(request.path), now + kTime, response});
  return response;
}

}  // namespace claimsd::admin

#include "daemon/admin/scrape_guard.h"

#include <algorithm>

namespace claimsd::admin {
namespace {

bool is_all(std::string_view text, std::string_view allowed) {
  return !text.empty() && text.find_first_not_of(allowed) == std::string_view::npos;
}

bool is_port(std::string_view text) {
  return text.size() <= 5 && is_all(text, "0123456789");
}

}  // namespace

bool names_loopback(std::string_view host) {
  const auto bracket = host.find(']');
  const auto colon = host.find(':', bracket == std::string_view::npos ? 0 : bracket);
  if (colon != std::string_view::npos && !is_port(host.substr(colon + 1))) return false;
  const std::string_view name = host.substr(0, colon);
  if (name == "localhost" || name == "[::1]") return true;
  return name.substr(0, 4) == "127." && is_all(name, "0123456789.") &&
         std::count(name.begin(), name.end(), '.') == 3;
}

HttpResponse dispatch_scrape(const AdminServices& services, const HttpRequest& request) {
  if (!names_loopback(request.host)) {
    return error_response(403, "wrong_host", "the Host header must name the loopback",
                          "use http://localhost or http://127.0.0.1 with the port");
  }
  const auto table = routes();
  const bool open = std::any_of(table.begin(), table.end(), [&](const Route& route) {
    return route.kind == Route::Kind::kScrape && route.path == request.path;
  });
  if (!open) {
    return error_response(404, "not_found",
                          "this listener serves /metrics, /healthz and /readyz only",
                          "use the admin socket for everything else");
  }
  return dispatch(services, request);
}

HttpResponse ScrapeCache::dispatch(const AdminServices& services, const HttpRequest& request) {
  const BootTime now = services.now().boot;
  const bool reads = request.method == "GET" || request.method == "HEAD";
  const auto found = std::find_if(kept_.begin(), kept_.end(), [&](const Kept& kept) {
    return kept.path == request.path && now < kept.until;
  });
  if (reads && found != kept_.end() && names_loopback(request.host)) return found->response;
  HttpResponse response = dispatch_scrape(services, request);
  // Only paths that exist are kept: the table does not grow.
  if (!reads || (response.status != 200 && response.status != 503)) return response;
  std::erase_if(kept_, [&](const Kept& kept) { return kept.path == request.path; });
  kept_.push_back({std::string(request.path), now + kTime, response});
  return response;
}

}  // namespace claimsd::admin

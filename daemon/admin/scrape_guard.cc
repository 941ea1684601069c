#include "daemon/admin/scrape_guard.h"

#include <algorithm>

namespace claimsd::daemon {
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
    return refusal(403, "wrong_host", "the Host header must name the loopback",
                   "use http://localhost or http://127.0.0.1 with the port");
  }
  const auto table = routes();
  const bool open = std::any_of(table.begin(), table.end(), [&](const Route& route) {
    return route.scrapable && route.path == request.path;
  });
  if (!open) {
    return refusal(404, "not_found", "this listener serves /metrics, /healthz and /readyz only",
                   "use the admin socket for everything else");
  }
  return dispatch(services, request);
}

}  // namespace claimsd::daemon

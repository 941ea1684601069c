#include "daemon/http/loopback_host.h"

#include <algorithm>

namespace claimsd::http {
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

}  // namespace claimsd::http

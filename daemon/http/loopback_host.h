// loopback_host.h: the check of the Host header for servers on loopback TCP. It stops DNS rebinding:
// a web page in a local browser can send requests to 127.0.0.1, but only under its own host name.
// Pure; any thread.
#pragma once

#include <string_view>

namespace claimsd::http {

// "localhost", 127.0.0.0/8 or [::1], with or without a port.
bool names_loopback(std::string_view host);

}  // namespace claimsd::http

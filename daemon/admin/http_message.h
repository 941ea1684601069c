// http_message.h: HTTP request and response as plain data, so that routes need neither sockets nor
// libmicrohttpd. Loop thread.
//
// An HttpRequest is a view into the server's buffers, valid during the handler's call.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "daemon/loop/unix_socket.h"

namespace claimsd::admin {

struct HttpRequest {
  std::string_view method;  // as sent: "GET"
  std::string_view path;    // decoded, without the query
  std::string_view body;    // may hold a token: wiped after the handler has returned
  // The peer of a Unix socket connection; none for TCP. Never decide by its pid.
  std::optional<loop::PeerCredentials> peer;
  // Query parameters, decoded, in the order they were sent. A token must never be one.
  std::vector<std::pair<std::string_view, std::string_view>> parameters;
  std::string_view host;  // the Host header; "" if absent

  // The first parameter with this name.
  std::optional<std::string_view> parameter(std::string_view name) const {
    for (const auto& [key, value] : parameters) {
      if (key == name) return value;
    }
    return std::nullopt;
  }
};

class DeferredResponse;

struct HttpResponse {
  unsigned status = 200;
  std::string content_type = "application/json";
  std::string body;
  std::string allow;                        // the Allow header, required with 405; empty: not sent
  std::shared_ptr<DeferredResponse> later;  // set: the response follows later
};

// Called once per complete request, on the loop thread; must not block.
using HttpHandler = std::function<HttpResponse(const HttpRequest&)>;

}  // namespace claimsd::admin

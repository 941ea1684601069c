// http_message.h: a request and its response as plain data, so that routes know nothing of sockets
// or libmicrohttpd.
//
// Values for the loop thread. An HttpRequest is a view into the server's buffers and lives as long
// as the handler's call.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "daemon/loop/unix_socket.h"

namespace claimsd::daemon {

struct HttpRequest {
  std::string_view method;  // as sent: "GET"
  std::string_view path;    // decoded, without the query
  std::string_view body;    // may hold a token: wiped once the handler has returned
  // Who connected; none where the connection is not a Unix socket's. The pid is never what a
  // decision rests on.
  std::optional<PeerCredentials> peer;
  // Of the query, decoded, in the order in which they were sent. None of them may be a token.
  std::vector<std::pair<std::string_view, std::string_view>> parameters;
  std::string_view host;  // the header; "" where there was none

  // The first parameter of that name.
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
  std::string allow;                        // the header Allow, which 405 needs; empty: not sent
  std::shared_ptr<DeferredResponse> later;  // set: this is not it yet
};

// Called once for each complete request, on the loop thread; must not block.
using HttpHandler = std::function<HttpResponse(const HttpRequest&)>;

}  // namespace claimsd::daemon

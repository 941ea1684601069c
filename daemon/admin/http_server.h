// http_server.h: an HTTP/1.1 server on one listening socket, on the daemon's loop. Owned by the
// composition root; loop thread. Handlers are called there and must not block.
//
// libmicrohttpd runs without its own thread and without a listening socket: the loop accepts, polls
// its epoll descriptor and sets a timer for its timeout (microhttpd.h 0.9.75, "MHD_USE_EPOLL",
// "MHD_add_connection", "MHD_get_timeout").
// - Only local clients connect, so limits are small. A connection carries one request and is closed
//   at its deadline, however slowly the client sends. A client without a request yields to newcomers
//   (connection_slots.h).
// - Requests that libmicrohttpd cannot parse get its own error page (400, 414, 431), not our JSON:
//   version 0.9.75 cannot replace it. With many parameters or headers it has no memory left for any
//   response and would wait for its timeout: those get a short one of ours.
// - A deferred response ends when its client leaves.
// - Bodies may hold tokens. Content-Length is required, because libmicrohttpd moves chunked data
//   around in its memory. Its copy and ours are wiped.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>

#include "daemon/admin/connection_slots.h"
#include "daemon/base/clock.h"
#include "daemon/base/fd.h"
#include "daemon/base/result.h"
#include "daemon/http/message.h"

namespace claimsd::loop {
class Loop;
}  // namespace claimsd::loop
namespace claimsd::admin {

// Limits of one server. The defaults are what the daemon uses.
struct HttpLimits {
  SlotLimits slots;
  std::size_t body_bytes = 64 * 1024;
  std::size_t memory_bytes = 32 * 1024;  // per connection; must hold the request line and headers
  unsigned parameters = 32;
  unsigned headers = 64;
  std::chrono::seconds idle_timeout{10};
  std::chrono::seconds request_timeout{5};  // for a whole request, counted from the connect
  // For a whole request and its response, counted from the connect, so sending a byte now and then
  // does not extend it. A request whose response is deferred (http_message.h) is not closed
  // meanwhile.
  std::chrono::seconds deadline{30};
  // Least time between two runs: bounds the share of the loop that clients can take. 0: none.
  Duration pause{};
  // Whether a request is an admin action, for which slots are reserved. Empty: none is.
  std::function<bool(const http::Request&)> is_action;
};

class HttpServer {
 public:
  // Takes a listening stream socket (Unix or TCP) and makes it non-blocking.
  static Result<std::unique_ptr<HttpServer>> create(loop::Loop& loop, Fd listening,
                                                    http::Handler handler,
                                                    const HttpLimits& limits = {});

  virtual ~HttpServer() = default;  // closes the socket and all connections immediately
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  virtual std::size_t connections() const = 0;

 protected:
  HttpServer() = default;
};

}  // namespace claimsd::admin

// http_server.h: HTTP/1.1 on one listening socket, inside the daemon's loop. The only microhttpd.h.
//
// libmicrohttpd runs without a thread of its own: its epoll descriptor is watched like any other,
// and its own idea of when it wants to run again becomes a timer. Owned by the composition root,
// lives on the loop thread; handlers are called there and must not block.
// - Its clients are few and trusted enough to open the socket, so bounds are small. A connection
// carries one request: places are
//   few, and connecting is cheap. A client holds one until its deadline, however it drips.
// - Requests that libmicrohttpd cannot read it answers itself (400, 414, 431), with a page of its
//   own and not with our JSON: version 0.9.75 has no way to replace that page.
// - Bodies may hold tokens. They come with Content-Length only (pieces of a chunked one would be
// moved about in the library's
//   memory), and both the library's copy and ours are wiped.
//
// libmicrohttpd 0.9.75: microhttpd.h, "MHD_USE_EPOLL", "MHD_get_timeout".
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>

#include "daemon/admin/http_message.h"
#include "daemon/base/fd.h"
#include "daemon/base/result.h"

namespace claimsd::daemon {

class Loop;

// Bounds of one server. The defaults are what the daemon uses.
struct HttpLimits {
  unsigned connections = 16;  // beyond it a client waits in the backlog
  std::size_t body_bytes = 64 * 1024;
  std::size_t memory_bytes = 32 * 1024;  // per connection: request line and headers fit in it
  std::chrono::seconds idle_timeout{10};
  // For a whole request and its response, from the connection on: sending a byte now and then does
  // not help. A request that the handler lets wait (http_message.h) is not cut off while it does.
  std::chrono::seconds deadline{30};
};

class HttpServer {
 public:
  // Takes a listening stream socket (Unix or TCP) and makes it non-blocking.
  static Result<std::unique_ptr<HttpServer>> create(Loop& loop, Fd listening, HttpHandler handler,
                                                    const HttpLimits& limits = {});

  virtual ~HttpServer() = default;  // closes the socket and every connection at once
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  virtual std::size_t connections() const = 0;

 protected:
  HttpServer() = default;
};

}  // namespace claimsd::daemon

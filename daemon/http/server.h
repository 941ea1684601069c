// server.h: an HTTP/1.1 server on one listening socket, on a loop, with keep-alive.
// Created, used and destroyed on the loop's thread. The handler is called there and must not block.
//
// libmicrohttpd runs without its own thread: the loop polls its epoll descriptor and sets a timer
// for its timeout (microhttpd.h 0.9.75, "MHD_USE_EPOLL", "MHD_get_timeout").
// - Requests that libmicrohttpd cannot parse get its own error page (400, 414, 431), not our JSON:
//   version 0.9.75 cannot replace it.
// - Bodies may hold tokens. Content-Length is required, because libmicrohttpd moves chunked data
//   around in its memory. Its copy and ours are wiped.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>

#include "daemon/base/fd.h"
#include "daemon/base/result.h"
#include "daemon/http/message.h"

namespace claimsd::loop {
class Loop;
}  // namespace claimsd::loop

namespace claimsd::http {

// Limits of one server.
struct Limits {
  unsigned connections = 16;  // further clients wait in the backlog
  // A uid's connections above this are closed at once; they count only on a Unix socket.
  unsigned connections_per_uid = 65'536;
  // Longest body. 0: a request that announces a body gets 400.
  std::size_t body_bytes = 64 * 1024;
  std::size_t memory_bytes = 32 * 1024;  // per connection; must hold the request line and headers
  std::chrono::seconds idle_timeout{10};
  // For a whole request and its response, so sending a byte now and then does not extend it.
  // Counted from the connect, or from the end of the previous response. A request whose response is
  // deferred (message.h) is not closed meanwhile.
  std::chrono::seconds deadline{30};
  bool keep_alive = false;  // several requests per connection
  bool raw_path = false;    // pass the path as it was sent, percent-encoded
};

class Server {
 public:
  // Takes a listening stream socket (Unix or TCP) and makes it non-blocking.
  static Result<std::unique_ptr<Server>> create(loop::Loop& loop, Fd listening, Handler handler,
                                                const Limits& limits = {});

  virtual ~Server() = default;  // closes the socket and all connections immediately
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  // Any thread.
  virtual std::size_t connections() const = 0;

 protected:
  Server() = default;
};

}  // namespace claimsd::http

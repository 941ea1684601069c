// connection.h: the state of one HTTP connection. Internal to server.cc; loop thread.
#pragma once

#include <cstddef>
#include <list>
#include <optional>

#include "daemon/base/clock.h"
#include "daemon/base/wiped_buffer.h"
#include "daemon/http/message.h"

struct MHD_Connection;

namespace claimsd::http {

struct Connection;
// In order of deadline: all connections have the same time limit, so the oldest is first.
using Connections = std::list<Connection>;

struct Connection {
  Connections::iterator place;
  MHD_Connection* handle = nullptr;
  std::optional<loop::PeerCredentials> peer;
  bool counted = false;  // among its uid's connections
  Duration until{};      // its deadline, in Loop::hrtime()
  // Of the request in progress:
  std::optional<WipedBuffer> body;
  std::size_t body_size = 0;         // as announced, and reserved at once
  bool suspended = false;            // the handler deferred the response
  std::optional<Response> response;  // the deferred response, once it is there
};

}  // namespace claimsd::http

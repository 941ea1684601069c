// connection.h: the state of one HTTP connection. Internal to server.cc; loop thread.
#pragma once

#include <string.h>  // explicit_bzero(3)

#include <cstddef>
#include <list>
#include <optional>
#include <string_view>
#include <vector>

#include "daemon/base/clock.h"
#include "daemon/http/message.h"

struct MHD_Connection;

namespace claimsd::http {

// A request's body. All of its memory is reserved at once, because growing would leave copies
// behind.
class Body {
 public:
  explicit Body(std::size_t size) { bytes_.reserve(size); }
  ~Body() {
    if (bytes_.capacity() != 0) explicit_bzero(bytes_.data(), bytes_.capacity());
  }
  Body(const Body&) = delete;
  Body& operator=(const Body&) = delete;

  // False if it would exceed the announced size.
  bool append(const char* data, std::size_t size) {
    if (bytes_.capacity() - bytes_.size() < size) return false;
    bytes_.insert(bytes_.end(), data, data + size);
    return true;
  }
  std::string_view view() const { return {bytes_.data(), bytes_.size()}; }

 private:
  std::vector<char> bytes_;
};

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
  std::optional<Body> body;
  bool suspended = false;            // the handler deferred the response
  std::optional<Response> response;  // the deferred response, once it is there
};

}  // namespace claimsd::http

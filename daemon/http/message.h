// message.h: an HTTP request and response as plain data, so that handlers need neither sockets nor
// libmicrohttpd.
//
// A Request is a view into the server's buffers, valid during the handler's call. Thread: the
// server's loop.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "daemon/loop/unix_socket.h"

namespace claimsd::http {

// Name and value, in the order and spelling in which they were sent.
using Field = std::pair<std::string_view, std::string_view>;

struct Request {
  std::string_view method;  // as sent: "GET"
  std::string_view path;    // without the query; decoded unless Limits::raw_path
  std::string_view body;    // may hold a token: wiped after the handler has returned
  // The peer of a Unix socket connection; none for TCP. Never decide by its pid.
  std::optional<loop::PeerCredentials> peer;
  std::optional<std::uint32_t> uid() const {
    return peer ? std::optional(peer->uid) : std::nullopt;
  }
  // Query parameters, decoded. A token must never be one.
  std::vector<Field> parameters;
  std::vector<Field> headers;

  // The first parameter with this name.
  std::optional<std::string_view> parameter(std::string_view name) const {
    for (const auto& [key, value] : parameters) {
      if (key == name) return value;
    }
    return std::nullopt;
  }
  std::string_view host;  // the first Host header; "" if absent
};

class DeferredResponse;

struct Response {
  unsigned status = 200;
  std::string content_type = "application/json";
  std::string body;
  std::string allow;                        // the Allow header, required with 405; empty: not sent
  std::shared_ptr<DeferredResponse> later;  // set: the response follows later
  std::vector<std::pair<std::string, std::string>> headers;  // further ones
  bool close = false;  // close the connection afterwards, even where Limits::keep_alive is set
};

// Called once per complete request; must not block.
using Handler = std::function<Response(const Request&)>;

}  // namespace claimsd::http

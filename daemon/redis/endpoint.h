// endpoint.h: the address of a Redis server or a Sentinel. Pure; any thread.
#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

#include "daemon/base/result.h"

namespace claimsd::redis {

struct Endpoint {
  std::string host;  // a name or an address; an IPv6 address without its brackets
  std::uint16_t port = 0;
  bool tls = false;

  // "redis-1:6379", for messages
  std::string text() const;
  auto operator<=>(const Endpoint&) const = default;
};

// A URL that the configuration has checked (daemon/config/url.h).
Result<Endpoint> endpoint_of(std::string_view url, std::uint16_t default_port);

}  // namespace claimsd::redis

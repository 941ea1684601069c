// http_stub.h: an Auth API with almost no cost of its own, so that a miss measures the client side.
#pragma once

#include <cstdint>

#include "tests/bench/process.h"

namespace claimsd::bench {

// A process that answers each `GET` with a bearer token immediately with the claims, others with
// 401, on kept-alive connections to 127.0.0.1:port.
struct HttpStub {
  Process process;
  std::uint16_t port;

  static Result<HttpStub> start();
};

}  // namespace claimsd::bench

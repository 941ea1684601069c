// http_stub.h: an Auth API that costs next to nothing: what remains of a miss is what asked it.
#pragma once

#include <cstdint>

#include "tests/bench/process.h"

namespace claimsd::bench {

// A process that answers each `GET` carrying a bearer token with the claims at once (others with
// 401), on kept-alive connections to 127.0.0.1:port.
struct HttpStub {
  Process process;
  std::uint16_t port;

  static Result<HttpStub> start();
};

}  // namespace claimsd::bench

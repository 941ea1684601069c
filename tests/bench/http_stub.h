// http_stub.h: an Auth API with almost no cost of its own, so that a miss measures the client side.
#pragma once

#include <cstdint>
#include <string>

#include "tests/bench/process.h"
#include "tests/bench/scratch.h"

namespace claimsd::bench {

// A process that answers each `GET` with a bearer token immediately with the claims, others with
// 401, on kept-alive connections to 127.0.0.1:port, in clear or over TLS.
struct HttpStub {
  Process process;
  std::uint16_t port;
  std::string certificate;  // PEM, to be trusted; "" in clear

  std::string url() const;

  static Result<HttpStub> start();
  static Result<HttpStub> start_with_tls();
};

// The path of a file with the stub's certificate; "" if it has none.
Result<std::string> trusted_file(const Scratch& scratch, const HttpStub& stub);

}  // namespace claimsd::bench

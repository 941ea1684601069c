// http_check.h: a client of an HTTP server on a Unix socket: one kept connection, a prebuilt GET.
#pragma once

#include <string>

#include "tests/bench/peers.h"

namespace claimsd::bench {

// A GET of `path` with token 0.
std::string get_request(const std::string& path);

// One connection and its request. The size of a response is learned from the first one.
class HttpLine {
 public:
  static Result<HttpLine> connect(const std::string& socket, const std::string& path);

  Status send() const;
  // The response must be a 200 as long as the first.
  Status receive();

 private:
  HttpLine(Fd fd, std::string request) : fd_(std::move(fd)), request_(std::move(request)) {}
  Status learn();

  Fd fd_;
  std::string request_;
  std::string response_;  // as long as one response, once known
};

// A request and its response at a time. `servers`: all processes that take part.
Result<ContenderPtr> http_check(std::string name, const std::string& socket,
                                const std::string& path, std::vector<pid_t> servers);

}  // namespace claimsd::bench

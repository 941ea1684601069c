// fault_server.h: runs and controls tests/faultserver/serve.py, an Auth API that misbehaves on
// demand.
//
// Starting takes about a second, so a test program starts one and calls reset() between tests. The
// server ends with the process that started it. Throws std::runtime_error if the server cannot be
// started or reached.
#pragma once

#include <sys/types.h>

#include <string>
#include <string_view>

namespace claimsd::test {

class FaultServer {
 public:
  FaultServer();
  ~FaultServer();
  FaultServer(const FaultServer&) = delete;
  FaultServer& operator=(const FaultServer&) = delete;

  // The port of a listener: "http", "https", "https_expired", "proxy_trap"... (serve.py --list).
  int port(std::string_view listener) const;
  // The upstream URL whose /api/me/ answers in that mode; https for the https listeners.
  std::string url(std::string_view mode, std::string_view listener = "http") const;
  // "ca.pem", "client.pem", "client.key".
  std::string tls_file(std::string_view name) const;

  // Control requests (tests/faultserver/control.py). Return the body of the reply.
  std::string get(const std::string& path) const;
  std::string post(const std::string& path, const std::string& body = "") const;

  void reset() const { post("/_reset"); }
  // Waits until the mode has received `count` requests.
  void wait_for(const std::string& mode, int count) const;
  int requests(const std::string& mode) const;
  int connections(const std::string& mode) const;
  int most_at_once(const std::string& mode) const;
  // True if no request has reached the trap, which no client may ever connect to.
  bool trap_is_empty() const;

 private:
  std::string exchange(const std::string& method, const std::string& path,
                       const std::string& body) const;
  int seen(const std::string& mode, std::string_view key) const;

  std::string directory_;
  std::string ports_;  // as the server wrote them: JSON
  pid_t pid_ = -1;
};

// The number after `"key":` in a piece of JSON; -1 if it is missing.
int json_number(std::string_view json, std::string_view key);

}  // namespace claimsd::test

// http_thread.h: serves HTTP on a thread of its own, so that parsing, slow clients and a burst of
// ready connections cannot delay the loop. A request whose token has a lease in the shared map is
// allowed here, as a worker would allow it. Every other one is passed to the loop, which decides.
//
// Created, used and destroyed on the loop thread.
#pragma once

#include <functional>
#include <memory>
#include <thread>

#include "daemon/front_door/decision.h"
#include "daemon/loop/loop.h"

namespace claimsd::front_door {

// A request that waits for its decision.
struct Question {
  std::uint64_t id = 0;
  Resource resource = Resource::kDocument;
  std::string gate;
  Secret token;
  std::optional<loop::PeerCredentials> peer;  // none: over TCP
  std::string client_address;
  std::string trace_id;
  std::string method;
};

struct HttpLimits {
  unsigned connections = 1024;
  unsigned connections_per_uid = 1024;
  std::chrono::seconds idle_timeout{60};
};

class HttpThread {
 public:
  // On the loop thread, once per request. Each needs exactly one decide().
  using Ask = std::function<void(Question&&)>;

  // `listening`: Unix or TCP sockets.
  static Result<std::unique_ptr<HttpThread>> create(std::vector<Fd> listening, Settings settings,
                                                    const HttpLimits& limits, loop::Loop& loop,
                                                    Ask ask);
  ~HttpThread();  // closes all connections
  HttpThread(const HttpThread&) = delete;
  HttpThread& operator=(const HttpThread&) = delete;

  void decide(std::uint64_t id, Decision decision);
  // Applies to requests that are read from now on.
  void reconfigure(Settings settings);
  // The shared map of leases; -1: there is none. Duplicates the descriptor.
  void use_map(int descriptor);
  std::size_t connections() const;
  // Requests that were rejected before they became a question (400, 404, 405).
  std::uint64_t rejected() const;
  // Requests that were allowed by a lease.
  std::uint64_t allowed() const;

 private:
  struct Parts;
  explicit HttpThread(std::unique_ptr<Parts> parts);
  Status run();

  std::unique_ptr<Parts> parts_;
  std::thread thread_;
};

}  // namespace claimsd::front_door

// connections.h: the kept connections to one Auth API: which one a request uses, and to which
// instance of the Auth API it leads. Follows daemon/upstream/: a failure over a kept connection
// drops all of them.
#pragma once

#include <vector>

#include "daemon/claims/ports.h"
#include "tests/sim/records.h"

namespace claimsd::sim {

// What connections to an instance do after it was replaced.
enum class OldInstance : std::uint8_t { kSilent, kUnavailable, kRejects, kCount };

class ConnectionPool {
 public:
  // The connection of a request that starts now.
  UsedConnection take(claims::Connect connect, BootTime now);
  // The request over it ended.
  void give_back(const UsedConnection& used, const Response& response);
  void drop();

  // A new instance takes over; connections to earlier ones then do `how`.
  void deploy(OldInstance how);
  // What this connection does instead of serving the request; null: it leads to the current instance.
  const OldInstance* old(const UsedConnection& used) const {
    return used.instance < instance_ ? &how_ : nullptr;
  }

 private:
  struct Kept {
    BootTime made;
    unsigned instance = 0;
  };
  std::vector<Kept> kept_;
  unsigned generation_ = 0;  // grows with each drop()
  unsigned instance_ = 0;
  OldInstance how_ = OldInstance::kSilent;
};

}  // namespace claimsd::sim

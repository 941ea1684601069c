// shared_leases.h: finds known tokens in the shared map of leases, as any worker does
// (client/src/lease_reader.h). The same terms apply: the daemon withdraws a lease before it
// acknowledges a revocation, and a map whose daemon does not write its heartbeat is not read.
//
// HTTP thread; without a map nothing is found, and the loop is asked.
#pragma once

#include <optional>
#include <string_view>

#include "client/src/shared_map.h"
#include "daemon/base/fd.h"
#include "daemon/base/secret.h"
#include "daemon/claims/ports.h"
#include "proto/sealing.h"

namespace claimsd::front_door {

class SharedLeases {
 public:
  // The daemon's current map, which replaces the one before it; no descriptor: there is none.
  void use(Fd map);

  struct Found {
    Secret claims;          // a claims block
    bool complete = false;  // with the whole document of the Auth API
  };
  // Nothing: the token is not known to be valid.
  std::optional<Found> find(claims::UpstreamId upstream, std::string_view token);

 private:
  client::SharedMap map_;
  proto::Sealer sealer_;
};

}  // namespace claimsd::front_door

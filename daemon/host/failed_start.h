// failed_start.h: what a daemon that cannot start still does with the sockets that the service
// manager holds open: it refuses every connection for a while, then exits. Main thread.
//
// Otherwise workers would wait in the sockets' backlog until their timeout, because a connection
// succeeds while no daemon accepts it. The time also limits how often the service manager restarts a
// daemon that cannot start; systemd before 254 has no growing RestartSec=.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "daemon/base/clock.h"
#include "daemon/base/fd.h"
#include "daemon/host/service_manager.h"

namespace claimsd::host {

inline constexpr Duration kRefusalTime = seconds(5);

class FailedStart {
 public:
  // Keeps copies of the sockets named "claims" and "admin". Without them refuse() returns at once.
  explicit FailedStart(const std::vector<InheritedSocket>& sockets);

  // Tells each worker that there is no daemon, and each HTTP client of the admin socket the
  // `reason`, until `time` is over or a signal ends the process.
  void refuse(std::string_view reason, Duration time) const;

  // The start succeeded: closes the copies.
  void stop() {
    claims_.reset();
    admin_.reset();
  }

 private:
  Fd claims_;
  Fd admin_;
};

}  // namespace claimsd::host

// fast_path.h: the shared map of leases as the daemon runs it: made at the start, kept alive by a
// heartbeat from the loop, taken leave of at the end. Or the lack of it: where it is switched off
// or cannot be made, every question comes over the socket.
//
// Owned by the composition root, destroyed before the Loop. Loop thread. After a crash of the
// daemon before, acknowledgements of purges and revocations wait until
// acknowledgements_held_until().
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "daemon/admin/status.h"
#include "daemon/base/log.h"
#include "daemon/loop/kernel_timer.h"
#include "daemon/shm/lease_publisher.h"
#include "daemon/shm/map_marker.h"

namespace claimsd::daemon {

struct FastPathSettings {
  bool on = true;
  std::uint64_t slots = 0;
  std::string directory;  // the cache's, which is locked for this daemon
  std::string boot_id;
};

class FastPath {
 public:
  // Never fails: without the map the daemon only is slower, and the log says why.
  static std::unique_ptr<FastPath> create(const FastPathSettings& settings, Loop& loop,
                                          Clock& clock, Random& random, Log& log);
  ~FastPath() { stop(); }
  FastPath(const FastPath&) = delete;
  FastPath& operator=(const FastPath&) = delete;

  Publisher& publisher();
  // To pass on to workers; -1: there is none.
  int descriptor() const { return map_ ? map_->descriptor() : -1; }
  // Nobody may be told that a purge or revocation is in effect before; min: at once.
  BootTime acknowledgements_held_until() const { return held_until_; }
  LeaseStatus status() const;

  // Nobody believes the map from here on. Before the sockets close.
  void stop();

 private:
  FastPath(const FastPathSettings& settings, Clock& clock);
  Status open(const FastPathSettings& settings, Loop& loop, Random& random);

  Clock& clock_;
  MapMarker marker_;
  BootTime held_until_;
  std::optional<SharedMap> map_;
  std::unique_ptr<LeasePublisher> leases_;
  NoPublisher nobody_;
  std::optional<KernelTimer> heartbeat_;
  bool stopped_ = false;
};

}  // namespace claimsd::daemon

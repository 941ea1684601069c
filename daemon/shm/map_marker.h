// map_marker.h: did the daemon before this one take leave of its map?
//
// A daemon that was killed leaves a map with a heartbeat that readers believe for kHeartbeatLimit
// more, with leases that nobody can withdraw. So a daemon that has a map says so by a file, and
// takes it away after a clean stop; one that finds the file holds the acknowledgement of purges and
// revocations until no reader can believe the old map any more.
//
// In a directory that only one daemon works in at a time (the cache's, whose lock the caller
// holds). The file is empty. Blocks on the file system: at start and stop only.
#pragma once

#include <optional>
#include <string>

#include "daemon/base/clock.h"
#include "daemon/base/result.h"

namespace claimsd::daemon {

class MapMarker {
 public:
  // Looks for the mark of the daemon before; a file that cannot be looked at counts as one.
  explicit MapMarker(std::string directory);

  // From when on no reader believes a map from before; none: there is none.
  std::optional<BootTime> old_map_ends(BootTime started) const;

  // Says that there is a map now. No reader may get it before.
  Status set();
  // Says that all is well: nobody believes any map any more.
  void remove();

 private:
  std::string path_;
  bool found_ = false;
};

}  // namespace claimsd::daemon

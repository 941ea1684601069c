// map_marker.h: records whether the previous daemon stopped cleanly and closed its map.
//
// After a crash, readers trust the old map's heartbeat for kHeartbeatLimit, and its leases cannot
// be withdrawn. A daemon with a map therefore creates a marker file and removes it after a clean
// stop. A daemon that finds the file delays the acknowledgement of purges and revocations until
// readers ignore the old map.
//
// The directory is the cache's, whose lock the caller holds. The file is empty. Blocks on the file
// system: at startup and stop only.
#pragma once

#include <optional>
#include <string>

#include "daemon/base/clock.h"
#include "daemon/base/result.h"

namespace claimsd::shm {

class MapMarker {
 public:
  // Looks for the previous daemon's marker. If that fails, assumes it exists.
  explicit MapMarker(std::string directory);

  // The time from which readers ignore the old map; nothing if there is none.
  std::optional<BootTime> old_map_ends(BootTime started) const;

  // Call before any reader can get the map.
  Status set();
  // Call after a clean stop, when no reader can trust the map any more.
  void remove();

 private:
  std::string path_;
  bool found_ = false;
};

}  // namespace claimsd::shm

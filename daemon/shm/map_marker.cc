#include "daemon/shm/map_marker.h"

#include <errno.h>
#include <fcntl.h>
#include <fmt/core.h>
#include <string.h>  // strerrordesc_np(3)
#include <unistd.h>

#include "daemon/base/fd.h"
#include "proto/shm_layout.h"

namespace claimsd::daemon {

MapMarker::MapMarker(std::string directory) : path_(std::move(directory) + "/map-in-use") {
  found_ = faccessat(AT_FDCWD, path_.c_str(), F_OK, AT_SYMLINK_NOFOLLOW) == 0 || errno != ENOENT;
}

std::optional<BootTime> MapMarker::old_map_ends(BootTime started) const {
  if (!found_) return std::nullopt;
  return started + Duration(proto::kHeartbeatLimit);
}

Status MapMarker::set() {
  const Fd file(::open(path_.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (file) return {};
  const int error = errno;
  return failure(
      fmt::format("cannot record in {} that a shared map is in use: {}: make its directory "
                  "writable, or set daemon.fast_path = false",
                  path_, strerrordesc_np(error)));
}

void MapMarker::remove() {
  unlink(path_.c_str());
}

}  // namespace claimsd::daemon

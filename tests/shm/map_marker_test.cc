#include "daemon/shm/map_marker.h"

#include <sys/stat.h>

#include <filesystem>

#include "proto/shm_layout.h"
#include "tests/support/catch.h"
#include "tests/support/scratch_directory.h"

namespace claimsd::shm {
namespace {

using testing::ScratchDirectory;

constexpr BootTime kStart(seconds(1000));

TEST_CASE("after a clean stop there is no old map to wait for") {
  const ScratchDirectory directory;
  {
    MapMarker marker(directory.path());
    CHECK_FALSE(marker.old_map_ends(kStart));
    REQUIRE(marker.set());
    // A daemon's own map is not an old one.
    CHECK_FALSE(marker.old_map_ends(kStart));
    marker.remove();
  }
  CHECK_FALSE(MapMarker(directory.path()).old_map_ends(kStart));
}

TEST_CASE("after a crash the old map is trusted until its heartbeat is too old") {
  const ScratchDirectory directory;
  REQUIRE(MapMarker(directory.path()).set());
  MapMarker marker(directory.path());
  CHECK(marker.old_map_ends(kStart) == kStart + Duration(proto::kHeartbeatLimit));
  // A second crash before the marker was removed.
  REQUIRE(marker.set());
  CHECK(MapMarker(directory.path()).old_map_ends(kStart));
}

TEST_CASE("an unreadable marker counts as a crash, and failing to create one is an error") {
  const ScratchDirectory directory;
  const std::string file = directory / "file";
  REQUIRE(MapMarker(directory.path()).set());
  std::filesystem::rename(directory / "map-in-use", file);
  MapMarker marker(file);  // ENOTDIR
  CHECK(marker.old_map_ends(kStart));
  const Status set = marker.set();
  REQUIRE_FALSE(set);
  CHECK(set.error().message.find("shared_memory") != std::string::npos);
  // An existing symbolic link is not followed.
  std::filesystem::create_symlink(directory / "elsewhere", directory / "map-in-use");
  CHECK_FALSE(MapMarker(directory.path()).set());
  CHECK_FALSE(std::filesystem::exists(directory / "elsewhere"));
}

}  // namespace
}  // namespace claimsd::shm

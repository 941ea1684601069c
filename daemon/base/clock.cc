#include "daemon/base/clock.h"

#include <time.h>

#include <algorithm>
#include <limits>

namespace claimsd {
namespace {

Duration read(clockid_t id) {
  timespec at{};
  clock_gettime(id, &at);  // cannot fail for these two clocks and a valid pointer
  return seconds(at.tv_sec) + Duration(at.tv_nsec);
}

}  // namespace

Now SystemClock::now() const {
  return Now{BootTime(read(CLOCK_BOOTTIME)), WallTime(read(CLOCK_REALTIME))};
}

std::uint32_t to_wire_ms(Duration duration) {
  const auto ms = std::chrono::duration_cast<milliseconds>(duration).count();
  // The maximum means "any age" on the wire and is never a measured value.
  return static_cast<std::uint32_t>(
      std::clamp<std::int64_t>(ms, 0, std::numeric_limits<std::uint32_t>::max() - 1));
}

}  // namespace claimsd

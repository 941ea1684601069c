// stored_time.h: points in time as the files of the store hold them. Pure; any thread.
#pragma once

#include <cstdint>

namespace claimsd::store {

// Nanoseconds since the epoch of its clock.
constexpr std::int64_t count(auto time) {
  return time.time_since_epoch().count();
}

}  // namespace claimsd::store

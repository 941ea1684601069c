// descriptor_limit.h: the number of file descriptors this process may have (RLIMIT_NOFILE,
// getrlimit(2)). Main thread, at start.
#pragma once

#include <cstdint>

namespace claimsd::host {

// Raises the soft limit as far as the hard one allows, at most to kMaxDescriptors. Returns the soft
// limit in effect; a failure to raise it shows in that number.
std::uint64_t raise_descriptor_limit();

// More than any valid configuration needs.
inline constexpr std::uint64_t kMaxDescriptors = 131'072;

}  // namespace claimsd::host

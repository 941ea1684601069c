// memory_scan.h: does a secret still lie anywhere in this process? Linux; proc(5).
#pragma once

#include <string>
#include <string_view>

namespace claimsd::daemon {

inline constexpr char kMask = 0x5A;

// The secret with every byte XORed by kMask: the only form in which the searching process may know
// it.
std::string masked(std::string_view text);

// How often the unmasked secret is found in the writable memory of this process, without its first
// bytes where it is long: where a block was freed as it was, free(3) has put its own notes over
// them. Mappings over 64 MiB (the shadows of sanitizers) are skipped.
int count_in_memory(std::string_view masked_secret);

}  // namespace claimsd::daemon

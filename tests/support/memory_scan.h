// memory_scan.h: searches the memory of this process for a secret. Linux; proc(5).
#pragma once

#include <string>
#include <string_view>

namespace claimsd {

inline constexpr char kMask = 0x5A;

// The secret with every byte XORed by kMask: the only form in which the searching process may hold
// it.
std::string masked(std::string_view text);

// How often the unmasked secret occurs in the writable memory of this process. The first bytes of a
// long secret are ignored, because free(3) overwrites the start of a block that was not wiped.
// Mappings over 64 MiB (sanitizer shadow memory) are skipped.
int count_in_memory(std::string_view masked_secret);

}  // namespace claimsd

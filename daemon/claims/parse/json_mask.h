// json_mask.h: replaces the parts of valid JSON that simdjson's DOM parser cannot represent: lone
// surrogates (RFC 8259 section 8.2 allows them) and numbers beyond 64 bits or a double. Such a part
// decides nothing unless it is in a member that is read.
//
// Each becomes a backspace character, or a string of one: no name, id, role or required value may
// contain it, so that whatever reads a masked member rejects it. Pure; any thread.
#pragma once

#include <cstddef>

namespace claimsd::claims {

// Masks in place, without a change of length. True if anything was masked. Text that is no JSON
// stays no JSON.
bool mask_unrepresentable(char* text, std::size_t size);

}  // namespace claimsd::claims

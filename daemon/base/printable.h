// printable.h: makes untrusted text safe for a log line or a terminal. Pure; any thread.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace claimsd {

// Returns `text` with line breaks, control characters (C0, DEL, C1), bidirectional overrides and
// invalid UTF-8 escaped as \n or \xNN, so that no text can forge a line or control a terminal. Text
// longer than `limit` bytes is truncated and ends in "…".
std::string printable(std::string_view text, std::size_t limit);

}  // namespace claimsd

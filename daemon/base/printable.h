// printable.h: text from elsewhere, made safe to put on a line of a log or terminal. Pure; any
// thread.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace claimsd::daemon {

// `text` with line breaks, control characters (C0, DEL, C1), bidirectional overrides and bytes that
// are no UTF-8 written as \n or \xNN, so that nobody can forge a line or steer a terminal. Longer
// than `limit` bytes it is cut, and ends in "…".
std::string printable(std::string_view text, std::size_t limit);

}  // namespace claimsd::daemon

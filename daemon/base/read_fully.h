// read_fully.h: a small file, whole. For files that are read at once and have a bound (a key, a
// configuration, an identity); what goes on or grows is read in pieces where it is needed.
#pragma once

#include <cstddef>
#include <span>
#include <tl/expected.hpp>

namespace claimsd::daemon {

// Reads from `fd` until its end or until `into` is full, and gives the bytes read, or errno. A file
// that may have at most N bytes is told from a longer one by room for one byte more. Blocks where
// `fd` does, and goes on after a signal (read(2)). Any thread.
tl::expected<std::size_t, int> read_fully(int fd, std::span<char> into);

}  // namespace claimsd::daemon

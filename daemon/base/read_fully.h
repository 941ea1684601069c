// read_fully.h: reads a small file completely. For bounded files such as a key, a configuration or
// an identity.
#pragma once

#include <cstddef>
#include <span>
#include <tl/expected.hpp>

namespace claimsd {

// Reads from `fd` until its end or until `into` is full. Returns the number of bytes, or errno. To
// detect a file longer than N bytes, pass room for N + 1. Blocks if `fd` does; retries after EINTR
// (read(2)). Any thread.
tl::expected<std::size_t, int> read_fully(int fd, std::span<char> into);

}  // namespace claimsd

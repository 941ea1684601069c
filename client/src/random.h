// random.h: random bytes from the kernel. Any thread.
#pragma once

#include <errno.h>
#include <sys/random.h>

#include <cstddef>

namespace claimsd::client {

// False if getrandom(2) is missing or denied.
inline bool read_random(void* out, std::size_t size) {
  ssize_t count = 0;
  do {
    count = getrandom(out, size, 0);
  } while (count < 0 && errno == EINTR);
  return count == static_cast<ssize_t>(size);
}

}  // namespace claimsd::client

#include "daemon/base/random.h"

#include <errno.h>
#include <sys/random.h>

#include <cstdlib>

namespace claimsd::daemon {

void SystemRandom::fill(void* out, std::size_t size) {
  auto* at = static_cast<char*>(out);
  while (size > 0) {
    const ssize_t got = getrandom(at, size, 0);
    if (got < 0) {
      if (errno == EINTR) continue;
      std::abort();
    }
    at += got;
    size -= static_cast<std::size_t>(got);
  }
}

}  // namespace claimsd::daemon

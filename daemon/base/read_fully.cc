#include "daemon/base/read_fully.h"

#include <errno.h>
#include <unistd.h>

namespace claimsd {

tl::expected<std::size_t, int> read_fully(int fd, std::span<char> into) {
  std::size_t size = 0;
  while (size < into.size()) {
    const ssize_t got = ::read(fd, into.data() + size, into.size() - size);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return tl::make_unexpected(errno);
    if (got == 0) break;
    size += static_cast<std::size_t>(got);
  }
  return size;
}

}  // namespace claimsd

#include "daemon/base/random.h"

#include <errno.h>
#include <string.h>  // explicit_bzero(3)
#include <sys/random.h>

#include <cstdlib>
#include <cstring>

namespace claimsd {

namespace {

void fetch(char* at, std::size_t size) {
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

}  // namespace

SystemRandom::~SystemRandom() {
  explicit_bzero(ahead_.data(), ahead_.size());
}

void SystemRandom::fill(void* out, std::size_t size) {
  if (size > left_) {
    if (size > ahead_.size() / 4) return fetch(static_cast<char*>(out), size);
    fetch(ahead_.data(), ahead_.size());
    left_ = ahead_.size();
  }
  char* const from = ahead_.data() + (ahead_.size() - left_);
  std::memcpy(out, from, size);
  explicit_bzero(from, size);
  left_ -= size;
}

}  // namespace claimsd

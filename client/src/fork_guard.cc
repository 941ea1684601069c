#include "client/src/fork_guard.h"

#include <sys/mman.h>

#include <cstddef>
#include <new>

namespace claimsd::client_impl {
namespace {

std::size_t page_size() {
  return static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
}

}  // namespace

ForkGuard::~ForkGuard() {
  if (word_ != nullptr) munmap(word_, page_size());
}

bool ForkGuard::create(Method method) {
  void* const page =
      mmap(nullptr, page_size(), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (page == MAP_FAILED) return false;
  word_ = new (page) std::atomic<std::uint32_t>(kReady);
  pid_ = getpid();
  const bool wiped =
      method == Method::kWipedPage && madvise(page, page_size(), MADV_WIPEONFORK) == 0;
  method_ = wiped ? Method::kWipedPage : Method::kPid;
  return true;
}

}  // namespace claimsd::client_impl

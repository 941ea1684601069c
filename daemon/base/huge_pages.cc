#include "daemon/base/huge_pages.h"

#include <sys/mman.h>

#include <cstdlib>
#include <new>

namespace claimsd {
namespace {

constexpr std::size_t kHugePage = std::size_t{2} << 20;

bool is_large(std::size_t bytes) {
  return bytes >= kHugePage;
}

}  // namespace

void* allocate_on_huge_pages(std::size_t bytes, std::size_t alignment) {
  if (!is_large(bytes)) return ::operator new(bytes, std::align_val_t(alignment));
  const std::size_t whole = (bytes + kHugePage - 1) / kHugePage * kHugePage;
  void* const block = std::aligned_alloc(kHugePage, whole);
  if (block == nullptr) throw std::bad_alloc();
  // A kernel without huge pages refuses; small pages work too.
  static_cast<void>(madvise(block, whole, MADV_HUGEPAGE));
  return block;
}

void free_huge_pages(void* block, std::size_t bytes, std::size_t alignment) noexcept {
  if (is_large(bytes)) return std::free(block);
  ::operator delete(block, std::align_val_t(alignment));
}

}  // namespace claimsd

// huge_pages.h: memory for large tables with random access. With 4 KiB pages each access also costs
// a page-table walk, so this asks the kernel for 2 MiB pages (madvise(2), MADV_HUGEPAGE). Without
// them it still works.
//
// A standard allocator; small blocks come from the ordinary heap. Any thread.
#pragma once

#include <cstddef>

namespace claimsd {

// Throws std::bad_alloc like operator new. Pass the same `bytes` and `alignment` to both functions.
void* allocate_on_huge_pages(std::size_t bytes, std::size_t alignment);
void free_huge_pages(void* block, std::size_t bytes, std::size_t alignment) noexcept;

template <class T>
struct HugePageAllocator {
  using value_type = T;

  HugePageAllocator() = default;
  template <class Other>
  HugePageAllocator(const HugePageAllocator<Other>& /*same*/) {}  // NOLINT: allocators convert

  T* allocate(std::size_t count) {
    return static_cast<T*>(allocate_on_huge_pages(count * sizeof(T), alignof(T)));
  }
  void deallocate(T* block, std::size_t count) noexcept {
    free_huge_pages(block, count * sizeof(T), alignof(T));
  }
  bool operator==(const HugePageAllocator&) const = default;
};

}  // namespace claimsd

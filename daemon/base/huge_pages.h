// huge_pages.h: memory for tables of many megabytes that are looked into at random. On pages of
// 4 KiB each look costs a walk through the page tables beside the look itself; the kernel is asked
// for pages of 2 MiB (madvise(2), MADV_HUGEPAGE), and where it has none nothing is lost.
//
// A standard allocator: smaller blocks are the ordinary heap's. Any thread.
#pragma once

#include <cstddef>

namespace claimsd::daemon {

// Throws std::bad_alloc, as operator new does. `bytes` and `alignment` are the same for both.
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

}  // namespace claimsd::daemon

// wiped_buffer.h: a growing buffer for bytes that may hold tokens or claims. Every block of memory is
// wiped before it is freed, also the old one when the buffer grows. Not thread-safe.
//
// For a secret of known size use Secret (secret.h).
#pragma once

#include <string.h>  // explicit_bzero(3)

#include <cstddef>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

namespace claimsd {

// Wipes what it frees.
template <class T>
struct WipingAllocator {
  using value_type = T;
  WipingAllocator() = default;
  template <class U>
  WipingAllocator(const WipingAllocator<U>&) {}  // NOLINT: allocators convert
  T* allocate(std::size_t count) { return std::allocator<T>().allocate(count); }
  void deallocate(T* block, std::size_t count) {
    explicit_bzero(static_cast<void*>(block), count * sizeof(T));
    std::allocator<T>().deallocate(block, count);
  }
  friend bool operator==(const WipingAllocator&, const WipingAllocator&) { return true; }
};

class WipedBuffer {
 public:
  WipedBuffer() = default;
  ~WipedBuffer() = default;
  WipedBuffer(WipedBuffer&& other) noexcept
      : bytes_(std::move(other.bytes_)), begin_(std::exchange(other.begin_, 0)) {}
  WipedBuffer& operator=(WipedBuffer&& other) noexcept {
    bytes_ = std::move(other.bytes_);
    begin_ = std::exchange(other.begin_, 0);
    return *this;
  }
  WipedBuffer(const WipedBuffer&) = delete;
  WipedBuffer& operator=(const WipedBuffer&) = delete;

  void reserve(std::size_t size) { bytes_.reserve(begin_ + size); }
  // `bytes` must not point into this buffer.
  void append(std::string_view bytes) { bytes_.insert(bytes_.end(), bytes.begin(), bytes.end()); }
  // Costs no copy: the space is reused by compact() or clear().
  void remove_prefix(std::size_t size) {
    begin_ += size;
    if (begin_ == bytes_.size()) clear();
  }
  // Moves the rest to the start and wipes behind it.
  void compact() {
    const std::size_t rest = size();
    memmove(bytes_.data(), bytes_.data() + begin_, rest);
    explicit_bzero(bytes_.data() + rest, begin_);
    bytes_.resize(rest);
    begin_ = 0;
  }
  // Wipes the bytes and keeps the memory.
  void clear() {
    if (bytes_.data() != nullptr) explicit_bzero(bytes_.data(), bytes_.size());
    bytes_.clear();
    begin_ = 0;
  }
  // Wipes the bytes and frees the memory.
  void release() { *this = WipedBuffer(); }

  std::string_view view() const { return {bytes_.data() + begin_, size()}; }
  std::size_t size() const { return bytes_.size() - begin_; }
  std::size_t room() const { return bytes_.capacity() - bytes_.size(); }
  bool empty() const { return size() == 0; }

 private:
  std::vector<char, WipingAllocator<char>> bytes_;
  std::size_t begin_ = 0;  // bytes at the start that were removed
};

}  // namespace claimsd

// memory.h: owning heap memory without libstdc++'s operator new, which an application may replace
// and which throws.
//
// `Owned<T>` is a move-only pointer to a T that make_owned() built on malloc; it destroys and frees
// it. `Buffer` is a block of bytes that is wiped before it is freed, because tokens and claims pass
// through it. One thread at a time.
#pragma once

#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <new>
#include <utility>

namespace claimsd::client {

template <class T>
class Owned {
 public:
  Owned() = default;
  explicit Owned(T* object) : object_(object) {}
  Owned(Owned&& other) noexcept : object_(other.release()) {}
  Owned& operator=(Owned&& other) noexcept {
    if (this != &other) reset(other.release());
    return *this;
  }
  Owned(const Owned&) = delete;
  Owned& operator=(const Owned&) = delete;
  ~Owned() { reset(nullptr); }

  explicit operator bool() const { return object_ != nullptr; }
  T* get() const { return object_; }
  T* operator->() const { return object_; }
  T& operator*() const { return *object_; }

  T* release() {
    T* const object = object_;
    object_ = nullptr;
    return object;
  }

  void reset(T* object) {
    if (object_ != nullptr) {
      object_->~T();
      std::free(object_);
    }
    object_ = object;
  }

 private:
  T* object_ = nullptr;
};

// Empty if out of memory.
template <class T, class... Arguments>
Owned<T> make_owned(Arguments&&... arguments) {
  // Use aligned_alloc(3) only if needed: some replaced mallocs implement it badly.
  void* const memory = alignof(T) > alignof(std::max_align_t)
                           ? std::aligned_alloc(alignof(T), sizeof(T))
                           : std::malloc(sizeof(T));
  if (memory == nullptr) return Owned<T>();
  return Owned<T>(new (memory) T(std::forward<Arguments>(arguments)...));
}

class Buffer {
 public:
  Buffer() = default;
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;
  ~Buffer() {
    if (data_ != nullptr) explicit_bzero(data_, size_);
    std::free(data_);
  }

  // False if out of memory. A second call does nothing.
  bool ensure(std::size_t size) {
    if (data_ != nullptr) return true;
    data_ = static_cast<char*>(std::malloc(size));
    size_ = data_ == nullptr ? 0 : size;
    return data_ != nullptr;
  }

  char* data() const { return data_; }
  std::size_t size() const { return size_; }

 private:
  char* data_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace claimsd::client

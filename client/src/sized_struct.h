// sized_struct.h: structs of the C ABI that begin with their own size, so that they can grow.
#pragma once

#include <cstddef>
#include <cstring>

namespace claimsd::client {

inline constexpr std::size_t kMaxStructSize = 4096;  // more is not a size but forgotten memory

// Whether `size` can be the size of a struct that has at least the oldest fields.
inline bool is_struct_size(std::size_t size, std::size_t oldest) {
  return size >= oldest && size <= kMaxStructSize;
}

// Copies the part of `given` that both sides know over `known`, which holds the defaults. A smaller
// one comes from an older program, a larger one from a newer. False when it is smaller than the
// oldest ever was, or no size at all.
template <class Struct>
bool copy_sized(const Struct* given, std::size_t oldest, Struct& known) {
  const std::size_t size = given->size;
  if (!is_struct_size(size, oldest)) return false;
  std::memcpy(&known, given, size < sizeof known ? size : sizeof known);
  known.size = sizeof known;
  return true;
}

}  // namespace claimsd::client

// exact_bytes.h: bytes in a heap block of exactly their size, so that AddressSanitizer detects a
// read past the end.
#pragma once

#include <cstring>
#include <memory>
#include <string_view>

namespace claimsd::testing {

class ExactBytes {
 public:
  explicit ExactBytes(std::string_view bytes)
      : block_(new char[bytes.size()]), size_(bytes.size()) {
    if (size_ != 0) std::memcpy(block_.get(), bytes.data(), size_);
  }
  std::string_view view() const { return {block_.get(), size_}; }

 private:
  std::unique_ptr<char[]> block_;
  std::size_t size_;
};

}  // namespace claimsd::testing

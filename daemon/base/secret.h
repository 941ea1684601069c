// secret.h: bytes that are wiped when they are released: tokens, keys, opened claims.
//
// A Secret owns its bytes. It can be moved, but not copied or printed, and leaves no copy behind
// when it is moved from, cleared or destroyed. It is not locked into memory: swap and core dumps
// are disabled for the whole daemon (systemd/).
#pragma once

#include <string.h>  // explicit_bzero(3)

#include <string_view>
#include <vector>

namespace claimsd {

class Secret {
 public:
  Secret() = default;
  explicit Secret(std::string_view bytes) : bytes_(bytes.begin(), bytes.end()) {}
  // `size` zero bytes, to be filled through data().
  explicit Secret(std::size_t size) : bytes_(size) {}
  ~Secret() { wipe(); }
  Secret(Secret&& other) noexcept : bytes_(std::move(other.bytes_)) { other.bytes_.clear(); }
  Secret& operator=(Secret&& other) noexcept {
    if (this != &other) {
      wipe();
      bytes_ = std::move(other.bytes_);
      other.bytes_.clear();
    }
    return *this;
  }
  Secret(const Secret&) = delete;
  Secret& operator=(const Secret&) = delete;

  Secret clone() const { return Secret(view()); }
  std::string_view view() const { return {bytes_.data(), bytes_.size()}; }
  char* data() { return bytes_.data(); }
  bool empty() const { return bytes_.empty(); }

  void wipe() {
    // Not `!empty()`: g++ 12 does not see that only an empty vector has no data.
    if (bytes_.data() != nullptr) explicit_bzero(bytes_.data(), bytes_.size());
    bytes_.clear();
  }

 private:
  std::vector<char> bytes_;  // not std::string: a moved-from small string keeps its bytes
};

}  // namespace claimsd

// bytes.h: bounds-checked reading and writing of the wire's primitive types. Little-endian,
// unaligned.
//
// A Reader never reads past the end of its bytes. The first failure is sticky: every later read
// returns nothing. A Writer fills a buffer and records whether it overflowed. Neither owns its
// memory or allocates. Values, for one thread each. Needs no libstdc++ at run time.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace claimsd::proto {

static_assert(std::endian::native == std::endian::little, "the codec copies integers as they lie");

class Reader {
 public:
  explicit constexpr Reader(std::string_view bytes) : at_(bytes.data()), left_(bytes.size()) {}

  bool ok() const { return ok_; }
  std::size_t left() const { return left_; }
  const char* at() const { return at_; }
  void fail() {
    ok_ = false;
    left_ = 0;
  }

  template <class Integer>
  Integer integer() {
    Integer value{};
    if (left_ < sizeof value) {
      fail();
      return Integer{};
    }
    std::memcpy(&value, at_, sizeof value);
    skip(sizeof value);
    return value;
  }

  // `size` bytes, as a view into the input.
  std::string_view bytes(std::size_t size) {
    if (left_ < size) {
      fail();
      return {};
    }
    const std::string_view view(at_, size);
    skip(size);
    return view;
  }

  // A size of type Length, then that many bytes; fails if the size exceeds `limit`.
  template <class Length>
  std::string_view sized(std::size_t limit) {
    const std::size_t size = integer<Length>();
    if (size > limit) fail();
    return bytes(ok_ ? size : 0);
  }

 private:
  void skip(std::size_t size) {
    at_ += size;
    left_ -= size;
  }

  const char* at_;
  std::size_t left_;
  bool ok_ = true;
};

class Writer {
 public:
  Writer(char* buffer, std::size_t capacity) : begin_(buffer), capacity_(capacity) {}

  bool ok() const { return ok_; }
  std::size_t size() const { return size_; }
  void fail() { ok_ = false; }

  template <class Integer>
  void integer(Integer value) {
    bytes(&value, sizeof value);
  }

  void bytes(const void* data, std::size_t size) {
    if (!ok_ || capacity_ - size_ < size) {
      ok_ = false;
      return;
    }
    if (size != 0) std::memcpy(begin_ + size_, data, size);
    size_ += size;
  }

  template <class Length>
  void sized(std::string_view text, std::size_t limit) {
    if (text.size() > limit) {
      ok_ = false;
      return;
    }
    integer(static_cast<Length>(text.size()));
    bytes(text.data(), text.size());
  }

 private:
  char* begin_;
  std::size_t capacity_;
  std::size_t size_ = 0;
  bool ok_ = true;
};

}  // namespace claimsd::proto

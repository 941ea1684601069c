// codec.h: encodes and decodes integers and texts of the audit log's files (FORMAT.md):
// little-endian on every machine, texts preceded by a u16 length. Pure; any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace claimsd::audit {

class Encoder {
 public:
  explicit Encoder(std::string& out) : out_(out) {}
  template <class Integer>
  void integer(Integer value) {
    auto bits = static_cast<std::uint64_t>(value);
    for (std::size_t i = 0; i < sizeof value; ++i, bits >>= 8U) {
      out_ += static_cast<char>(bits & 0xffU);
    }
  }
  void text(std::string_view text, std::size_t limit) {
    text = text.substr(0, limit);
    integer(static_cast<std::uint16_t>(text.size()));
    out_ += text;
  }

 private:
  std::string& out_;
};

// After the first read past the end, every read returns zero or empty and ok() is false.
class Decoder {
 public:
  explicit Decoder(std::string_view bytes) : left_(bytes) {}
  template <class Integer>
  Integer integer() {
    const std::string_view bytes = raw(sizeof(Integer));
    std::uint64_t bits = 0;
    for (std::size_t i = bytes.size(); i > 0; --i) {
      bits = bits << 8U | static_cast<std::uint8_t>(bytes[i - 1]);
    }
    return static_cast<Integer>(bits);
  }
  std::string text(std::size_t limit) {
    const auto size = integer<std::uint16_t>();
    if (size > limit) ok_ = false;
    return std::string(raw(size));
  }
  std::string_view raw(std::size_t size) {
    if (!ok_ || left_.size() < size) {
      ok_ = false;
      return {};
    }
    const std::string_view bytes = left_.substr(0, size);
    left_.remove_prefix(size);
    return bytes;
  }
  void refuse() { ok_ = false; }
  bool ok() const { return ok_; }
  bool at_end() const { return ok_ && left_.empty(); }

 private:
  std::string_view left_;
  bool ok_ = true;
};

}  // namespace claimsd::audit

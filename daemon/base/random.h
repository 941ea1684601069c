// random.h: randomness, passed in wherever it is needed, so that a test can replay it.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace claimsd {

class Random {
 public:
  virtual ~Random() = default;
  // Fills `size` bytes at `out` with unpredictable values.
  virtual void fill(void* out, std::size_t size) = 0;

  // Uniform over [0, bound); bound > 0. The modulo bias is below 2^-32 for the small bounds used
  // here.
  std::uint64_t below(std::uint64_t bound) {
    std::uint64_t value = 0;
    fill(&value, sizeof value);
    return value % bound;
  }
};

// getrandom(2), prefetched in blocks, because one call costs as much as the rest of making a nonce.
// Bytes handed out are wiped from the buffer. Aborts the process if the kernel has no randomness:
// going on would weaken every key. One thread. Do not use after fork(2): both processes would get
// the same bytes.
class SystemRandom final : public Random {
 public:
  SystemRandom() = default;
  ~SystemRandom() override;
  SystemRandom(const SystemRandom&) = delete;
  SystemRandom& operator=(const SystemRandom&) = delete;

  void fill(void* out, std::size_t size) override;

 private:
  std::array<char, 256> ahead_{};  // getrandom(2) returns up to 256 bytes uninterrupted
  std::size_t left_ = 0;           // unused bytes, at its end
};

}  // namespace claimsd

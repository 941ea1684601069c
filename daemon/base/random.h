// random.h: randomness, passed in wherever it is needed, so that a test can replay it.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace claimsd::daemon {

class Random {
 public:
  virtual ~Random() = default;
  // Fills `size` bytes at `out`, unpredictable to others.
  virtual void fill(void* out, std::size_t size) = 0;

  // Uniform over [0, bound); bound > 0. The bias of the modulo is below 2^-32 for the small bounds
  // used here.
  std::uint64_t below(std::uint64_t bound) {
    std::uint64_t value = 0;
    fill(&value, sizeof value);
    return value % bound;
  }
};

// getrandom(2), some of it fetched ahead, since each call costs as much as the rest of making a
// nonce. What was handed out is wiped from the store of it. Aborts the process where the kernel has
// no randomness: going on would weaken every key. One thread; must not be used on after a fork(2),
// where both processes would go on with the same bytes.
class SystemRandom final : public Random {
 public:
  SystemRandom() = default;
  ~SystemRandom() override;
  SystemRandom(const SystemRandom&) = delete;
  SystemRandom& operator=(const SystemRandom&) = delete;

  void fill(void* out, std::size_t size) override;

 private:
  std::array<char, 256> ahead_{};  // getrandom(2) gives so many without being interrupted
  std::size_t left_ = 0;           // of it, at its end
};

}  // namespace claimsd::daemon

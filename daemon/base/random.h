// random.h: randomness, passed in wherever it is needed, so that a test can replay it.
#pragma once

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

// getrandom(2). Aborts the process where the kernel has no randomness: going on would weaken every
// key. Any thread.
class SystemRandom final : public Random {
 public:
  void fill(void* out, std::size_t size) override;
};

}  // namespace claimsd::daemon

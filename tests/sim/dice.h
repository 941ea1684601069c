// dice.h: random decisions derived from a seed. Uses splitmix64 (Steele, Lea, Flood 2014) and
// integers only, so that a seed gives the same history on every machine.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "daemon/base/clock.h"

namespace claimsd::sim {

class Dice {
 public:
  explicit Dice(std::uint64_t seed) : state_(seed) {}

  std::uint64_t next() {
    std::uint64_t z = (state_ += 0x9e37'79b9'7f4a'7c15);
    z = (z ^ (z >> 30)) * 0xbf58'476d'1ce4'e5b9;
    z = (z ^ (z >> 27)) * 0x94d0'49bb'1331'11eb;
    return z ^ (z >> 31);
  }
  // Uniform over [0, bound); bound in (0, 2^32).
  std::uint32_t below(std::size_t bound) {
    return static_cast<std::uint32_t>(((next() >> 32) * bound) >> 32);
  }
  bool percent(unsigned chance) { return below(100) < chance; }
  bool permille(unsigned chance) { return below(1000) < chance; }
  Duration between(Duration low, Duration high) {
    if (high <= low) return low;
    return low + Duration(static_cast<std::int64_t>(
                     next() % static_cast<std::uint64_t>((high - low).count())));
  }
  // Usually around `mean`, occasionally much longer.
  Duration about(Duration mean) {
    return percent(10) ? between(Duration(0), 6 * mean) : between(Duration(0), 3 * mean / 2);
  }
  template <class T, std::size_t kCount>
  T pick(const std::array<T, kCount>& of) {
    return of[below(kCount)];
  }

 private:
  std::uint64_t state_;
};

}  // namespace claimsd::sim

#include "daemon/base/random.h"

#include <array>
#include <cstring>
#include <memory>
#include <new>
#include <set>
#include <string>

#include "tests/support/catch.h"

namespace claimsd {
namespace {

TEST_CASE("no random bytes are handed out twice, whatever the size") {
  SystemRandom random;
  std::set<std::string> seen;
  for (int i = 0; i < 2'000; ++i) {
    for (const std::size_t size : {8u, 12u, 32u, 63u, 64u, 65u, 300u}) {
      std::string piece(size, '\0');
      random.fill(piece.data(), piece.size());
      // Eight bytes are enough: two equal ones have a chance of one in 10^11.
      CHECK(seen.insert(piece.substr(0, 8)).second);
    }
  }
}

TEST_CASE("bytes that were handed out are wiped") {
  alignas(SystemRandom) std::array<char, sizeof(SystemRandom)> memory{};
  auto* const random = new (memory.data()) SystemRandom;
  std::array<char, 16> key{};
  random->fill(key.data(), key.size());
  const std::string_view inside(memory.data(), memory.size());
  CHECK(inside.find(std::string_view(key.data(), key.size())) == std::string_view::npos);
  random->~SystemRandom();
}

}  // namespace
}  // namespace claimsd

#include "daemon/base/huge_pages.h"

#include <cstdint>
#include <vector>

#include "tests/support/catch.h"

using namespace claimsd;

TEST_CASE("a vector on huge pages keeps its elements while it grows from small to large") {
  struct alignas(64) Line {
    std::uint64_t number = 0;
  };
  std::vector<Line, HugePageAllocator<Line>> lines;
  constexpr std::uint64_t kLines = 100'000;  // 6 MiB
  for (std::uint64_t i = 0; i < kLines; ++i) {
    lines.push_back({i});
    REQUIRE(reinterpret_cast<std::uintptr_t>(&lines.back()) % alignof(Line) == 0);
  }
  for (std::uint64_t i = 0; i < kLines; ++i) REQUIRE(lines[i].number == i);
  CHECK(reinterpret_cast<std::uintptr_t>(lines.data()) % (std::size_t{2} << 20) == 0);
}

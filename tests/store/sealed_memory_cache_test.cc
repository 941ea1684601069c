#include "daemon/store/sealed_memory_cache.h"

#include <map>
#include <random>
#include <string>

#include "tests/store/store_fixture.h"
#include "tests/support/catch.h"

using namespace claimsd;
using namespace claimsd::store;
using namespace claimsd::store::testing;

TEST_CASE("a value is found under its key until it is erased or replaced") {
  SealedMemoryCache slots(std::size_t{1} << 20);
  CHECK(slots.find(key_number(1)).empty());
  slots.put(key_number(1), "one");
  slots.put(key_number(2), "two");
  CHECK(slots.find(key_number(1)) == "one");
  slots.put(key_number(1), "another");
  CHECK(slots.find(key_number(1)) == "another");
  CHECK(slots.size() == 2);
  slots.erase(key_number(1));
  CHECK(slots.find(key_number(1)).empty());
  CHECK(slots.find(key_number(2)) == "two");
  slots.clear();
  CHECK(slots.find(key_number(2)).empty());
  CHECK(slots.size() == 0);
}

TEST_CASE("a value too large for a slot is not stored, and the old value is removed") {
  SealedMemoryCache slots(std::size_t{1} << 20);
  const std::string largest(SealedMemoryCache::kMaxValue, 'x');
  slots.put(key_number(1), largest);
  CHECK(slots.find(key_number(1)) == largest);
  slots.put(key_number(1), largest + "x");
  CHECK(slots.find(key_number(1)).empty());
  CHECK(slots.size() == 0);
}

TEST_CASE("the number of slots is bounded, and freed slots are reused") {
  SealedMemoryCache slots(3 * SealedMemoryCache::kSlotSize);
  for (std::uint32_t number = 1; number <= 4; ++number) slots.put(key_number(number), "value");
  CHECK(slots.size() == 3);
  CHECK(slots.find(key_number(4)).empty());
  slots.put(key_number(2), "newer");  // an existing key keeps its slot
  CHECK(slots.find(key_number(2)) == "newer");
  slots.erase(key_number(1));
  slots.put(key_number(4), "value");
  CHECK(slots.find(key_number(4)) == "value");
  CHECK(slots.size() == 3);
}

TEST_CASE("slots match a simple model over several chunks and many operations") {
  SealedMemoryCache slots(std::size_t{64} << 20);
  std::map<std::uint32_t, std::string> expected;
  std::mt19937 dice(1);
  for (int step = 0; step < 60'000; ++step) {
    const auto number = static_cast<std::uint32_t>(dice() % 12'000);
    if (dice() % 4 == 0) {
      slots.erase(key_number(number));
      expected.erase(number);
    } else {
      const std::string value(1 + dice() % SealedMemoryCache::kMaxValue,
                              static_cast<char>('a' + step % 26));
      slots.put(key_number(number), value);
      expected[number] = value;
    }
  }
  CHECK(slots.size() == expected.size());
  CHECK(expected.size() > 4'096);  // more than one chunk
  for (std::uint32_t number = 0; number < 12'000; ++number) {
    const auto wanted = expected.find(number);
    REQUIRE(slots.find(key_number(number)) == (wanted == expected.end() ? "" : wanted->second));
  }
}

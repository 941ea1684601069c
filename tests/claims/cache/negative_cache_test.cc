#include "daemon/claims/cache/negative_cache.h"

#include "tests/support/catch.h"
#include "tests/support/fake_world.h"

using namespace claimsd;
using namespace claimsd::claims;
using namespace std::chrono_literals;
using claimsd::testing::numbered_key;

namespace {
constexpr BootTime kStart{1000s};
}

TEST_CASE("a negative entry expires after its TTL") {
  NegativeCache negatives(5s, 10);
  negatives.put(numbered_key(1), kStart);
  const auto refusal = negatives.find(numbered_key(1), kStart);
  REQUIRE(refusal);
  CHECK(refusal->rejected_at == kStart);
  CHECK(refusal->until == kStart + 5s);
  CHECK(negatives.find(numbered_key(1), kStart + 5s - 1ns));
  CHECK_FALSE(negatives.find(numbered_key(1), kStart + 5s));
  CHECK_FALSE(negatives.find(numbered_key(2), kStart));
}

TEST_CASE("expired negative entries are removed") {
  NegativeCache negatives(5s, 10);
  negatives.put(numbered_key(1), kStart);
  negatives.put(numbered_key(2), kStart + 1s);
  negatives.expire(kStart + 5s);
  CHECK(negatives.size() == 1);
  negatives.expire(kStart + 6s);
  CHECK(negatives.size() == 0);
}

TEST_CASE("a full negative cache evicts the oldest entry") {
  NegativeCache negatives(5s, 3);
  for (std::uint64_t i = 0; i < 5; ++i) negatives.put(numbered_key(i), kStart);
  CHECK(negatives.size() == 3);
  CHECK_FALSE(negatives.find(numbered_key(1), kStart));
  CHECK(negatives.find(numbered_key(2), kStart));
  CHECK(negatives.find(numbered_key(4), kStart));
}

TEST_CASE("the TTL of a repeated rejection counts from the last one") {
  NegativeCache negatives(5s, 3);
  negatives.put(numbered_key(1), kStart);
  negatives.put(numbered_key(1), kStart + 3s);
  negatives.expire(kStart + 5s);
  CHECK(negatives.find(numbered_key(1), kStart + 7s));
  CHECK(negatives.size() == 1);
}

TEST_CASE("an erased negative entry is gone, and the token can be rejected again") {
  NegativeCache negatives(5s, 3);
  negatives.put(numbered_key(1), kStart);
  negatives.erase(numbered_key(1));
  CHECK_FALSE(negatives.find(numbered_key(1), kStart));
  negatives.put(numbered_key(1), kStart + 1s);
  negatives.expire(kStart + 5s);
  CHECK(negatives.find(numbered_key(1), kStart + 5s));
}

TEST_CASE("with a TTL or capacity of zero the negative cache stays empty") {
  NegativeCache no_time(0s, 10);
  no_time.put(numbered_key(1), kStart);
  CHECK(no_time.size() == 0);
  NegativeCache no_room(5s, 0);
  no_room.put(numbered_key(1), kStart);
  CHECK(no_room.size() == 0);
}

TEST_CASE("repeated rejections of one token do not evict others") {
  NegativeCache negatives(5s, 100);
  negatives.put(numbered_key(1), kStart);
  for (int i = 0; i < 150; ++i)
    negatives.put(numbered_key(2), kStart + std::chrono::nanoseconds(i));
  CHECK(negatives.find(numbered_key(1), kStart));
  CHECK(negatives.size() == 2);
}

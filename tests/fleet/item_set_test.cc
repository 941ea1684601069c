#include "daemon/fleet/item_set.h"

#include "tests/support/catch.h"

namespace claimsd::fleet {
namespace {

constexpr WallTime kEnd(seconds(2'000));
constexpr WallTime kHorizon(seconds(1'000));

ItemId id(std::uint8_t number, bool is_withdrawal = false) {
  ItemId made{.is_withdrawal = is_withdrawal};
  made.id[0] = number;
  made.id[15] = number;
  return made;
}

Item item(WallTime ends = kEnd, bool published = true) {
  return {.ends = ends, .content = "content", .published = published};
}

TEST_CASE("two sets have the same digest, whatever the order and the duplicates") {
  ItemSet one;
  ItemSet other;
  for (std::uint8_t at = 0; at < 50; ++at) CHECK(one.insert(id(at), item()));
  for (std::uint8_t at = 50; at > 0; --at) CHECK(other.insert(id(at - 1), item()));
  CHECK_FALSE(other.insert(id(7), item()));
  CHECK(one.digest(kHorizon) == other.digest(kHorizon));
  CHECK(one.bucket_sums(kHorizon) == other.bucket_sums(kHorizon));
}

TEST_CASE("an action and its withdrawal are different items") {
  ItemSet set;
  set.insert(id(1), item());
  const auto before = set.digest(kHorizon);
  CHECK(set.insert(id(1, true), item()));
  CHECK_FALSE(set.digest(kHorizon) == before);
  CHECK(set.digest(kHorizon).items == 2);
}

TEST_CASE("a digest leaves out what ends before its horizon, in either direction") {
  ItemSet set;
  set.insert(id(1), item(WallTime(seconds(1'500))));
  set.insert(id(2), item(WallTime(seconds(1'600))));
  const auto all = set.digest(kHorizon);
  CHECK(set.digest(WallTime(seconds(1'500))).items == 1);
  CHECK(set.digest(WallTime(seconds(1'600))).items == 0);
  CHECK(set.digest(kHorizon) == all);
}

TEST_CASE("an item counts when it was seen in the log") {
  ItemSet set;
  set.insert(id(1), item(kEnd, false));
  CHECK(set.unpublished() == 1);
  CHECK(set.digest(kHorizon).items == 0);
  set.set_published(id(1));
  set.set_published(id(1));
  CHECK(set.digest(kHorizon).items == 1);
  CHECK(set.unpublished() == 0);
}

TEST_CASE("a set covers its digest and those before its newest items, and no others") {
  ItemSet behind;
  ItemSet set;
  for (std::uint8_t at = 0; at < 10; ++at) {
    set.insert(id(at), item());
    if (at < 7) behind.insert(id(at), item());
  }
  CHECK(set.covers(set.digest(kHorizon), kHorizon));
  CHECK(set.covers(behind.digest(kHorizon), kHorizon));
  CHECK_FALSE(behind.covers(set.digest(kHorizon), kHorizon));
  ItemSet other;
  other.insert(id(99), item());
  CHECK_FALSE(set.covers(other.digest(kHorizon), kHorizon));
}

TEST_CASE("what has ended is removed in bounded steps and does not disturb the digest") {
  ItemSet set;
  for (std::uint8_t at = 0; at < 10; ++at) set.insert(id(at), item(WallTime(seconds(1'200))));
  set.insert(id(10), item());
  const auto before = set.digest(WallTime(seconds(1'300)));
  CHECK(set.expire(WallTime(seconds(1'400)), 4).size() == 4);
  CHECK(set.expire(WallTime(seconds(1'400)), 100).size() == 6);
  CHECK(set.expire(WallTime(seconds(1'400)), 100).empty());
  CHECK(set.digest(WallTime(seconds(1'300))) == before);
  CHECK(set.digest(kHorizon).items == 1);
  CHECK(set.not_durable() == 1);
}

}  // namespace
}  // namespace claimsd::fleet

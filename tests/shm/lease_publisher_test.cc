#include "daemon/shm/lease_publisher.h"

#include <set>
#include <vector>

#include "proto/messages.h"

#include "tests/shm/publisher_fixture.h"

namespace claimsd::shm {
namespace {

using testing::claims_of;
using testing::PublisherFixture;
using testing::token_of;

// Numbers of `count` tokens that share one set of the map, found by search.
std::vector<int> neighbours(const PublisherFixture& fixture, std::size_t count) {
  proto::Sealer sealer;
  REQUIRE(sealer.open());
  std::vector<int> found;
  for (int number = 0; found.size() < count; ++number) {
    proto::SlotSecret secret;
    REQUIRE(sealer.derive(fixture.reader.header().map_id, 0, token_of(number), secret));
    if (proto::first_slot_of(secret.index[0], testing::kTestSlots) == 0) found.push_back(number);
  }
  return found;
}

TEST_CASE("a published entry is found with its token until the lease ends") {
  PublisherFixture fixture;
  fixture.publish(1, "user-1", seconds(5));
  CHECK(fixture.find(1) == claims_of("user-1"));
  CHECK_FALSE(fixture.find(2));
  CHECK(fixture.publisher->published_until(fixture.key(1)) ==
        fixture.clock.now().boot + seconds(5));
  fixture.clock.advance(seconds(1));
  fixture.publisher->heartbeat();
  CHECK(fixture.find(1));
  fixture.clock.advance(seconds(4) - Duration(1));
  fixture.publisher->heartbeat();
  CHECK(fixture.find(1));
  fixture.clock.advance(Duration(1));
  CHECK_FALSE(fixture.find(1));
}

TEST_CASE("a lease holds all fields that a reader checks") {
  PublisherFixture fixture;
  const Now now = fixture.clock.now();
  const std::string claims = claims_of("user-1");
  const claims::Entry entry{.confirmed_at = now.boot - seconds(3),
                            .fresh_until = now.boot + seconds(57),
                            .expires_at = now.wall + seconds(100),
                            .flags = proto::kAnswerTruncated,
                            .claims = claims};
  fixture.publisher->publish(7, token_of(1), fixture.key(1), entry,
                             {.lease = now.boot + seconds(5), .hard = now.wall + seconds(70)});
  const auto at = fixture.reader.slot_of(7, token_of(1));
  REQUIRE(at);
  const auto slot = fixture.reader.copy(*at);
  REQUIRE(slot);
  CHECK(slot->words[proto::kSlotConfirmedAt] ==
        static_cast<std::uint64_t>((now.boot - seconds(3)).time_since_epoch().count()));
  CHECK(slot->words[proto::kSlotLeaseEnd] ==
        static_cast<std::uint64_t>((now.boot + seconds(5)).time_since_epoch().count()));
  CHECK(slot->words[proto::kSlotHardEnd] ==
        static_cast<std::uint64_t>((now.wall + seconds(70)).time_since_epoch().count()));
  CHECK(slot->meta().upstream == 7);
  CHECK(slot->meta().flags == proto::kAnswerTruncated);
  CHECK(slot->meta().size == claims.size());
  CHECK(fixture.reader.find(7, token_of(1), now) == claims);
  CHECK_FALSE(fixture.reader.find(0, token_of(1), now));
}

TEST_CASE("a lease also ends with its token, and a token without expiry is marked so") {
  PublisherFixture fixture;
  fixture.publish(1, "user-1", seconds(5), fixture.clock.now().wall + seconds(1));
  fixture.publish(2, "user-2", seconds(5));
  CHECK(fixture.find(1));
  fixture.clock.step_wall(seconds(1));
  CHECK_FALSE(fixture.find(1));
  CHECK(fixture.find(2));
  const auto slot = fixture.reader.copy(*fixture.reader.slot_of(0, token_of(2)));
  CHECK(slot->words[proto::kSlotHardEnd] == proto::kNoHardEnd);
}

TEST_CASE("a renewed lease stays in its slot with a new publication number") {
  PublisherFixture fixture;
  fixture.publish(1, "user-1");
  const auto at = fixture.reader.slot_of(0, token_of(1));
  const auto before = fixture.reader.copy(*at)->words[proto::kSlotSequence];
  fixture.publish(1, "user-1-renamed");
  CHECK(fixture.reader.slot_of(0, token_of(1)) == at);
  CHECK(fixture.reader.copy(*at)->words[proto::kSlotSequence] > before);
  CHECK(fixture.find(1) == claims_of("user-1-renamed"));
  CHECK(fixture.publisher->used() == 1);
  CHECK(fixture.counters().leases_published == 1);
  CHECK(fixture.counters().leases_renewed == 1);
}

TEST_CASE("publication numbers are unique across all slots") {
  PublisherFixture fixture;
  std::set<std::uint64_t> seen;
  for (int round = 0; round < 20; ++round) {
    for (int number = 0; number < 10; ++number) {
      fixture.publish(number, "user");
      if (number % 3 == 0) fixture.publisher->withdraw(fixture.key(number));
      if (number % 7 == 0) fixture.publisher->withdraw_all();
      for (std::uint64_t at = 0; at < testing::kTestSlots; ++at)
        seen.insert(fixture.reader.copy(at)->publication());
    }
  }
  // 120 publications, 80 withdrawals of others, and 0 for slots never written.
  CHECK(seen.size() == 201);
}

TEST_CASE("a full set evicts the lease that ends first, and counts it") {
  PublisherFixture fixture;
  const std::vector<int> numbers = neighbours(fixture, proto::kWays + 1);
  fixture.publish(numbers[0], "a", seconds(4));
  fixture.publish(numbers[1], "b", seconds(2));
  fixture.publish(numbers[2], "c", seconds(5));
  fixture.publish(numbers[3], "d", seconds(3));
  CHECK(fixture.counters().lease_collisions == 0);
  fixture.publish(numbers[4], "e", seconds(5));
  CHECK(fixture.counters().lease_collisions == 1);
  CHECK_FALSE(fixture.find(numbers[1]));
  for (const int other : {0, 2, 3, 4})
    CHECK(fixture.find(numbers[static_cast<std::size_t>(other)]));
  CHECK(fixture.publisher->published_until(fixture.key(numbers[1])) == BootTime::min());
  CHECK(fixture.publisher->used() == proto::kWays);
}

TEST_CASE("an empty slot is used before an ended lease, and an ended lease before a current one") {
  PublisherFixture fixture;
  const std::vector<int> numbers = neighbours(fixture, proto::kWays + 2);
  fixture.publish(numbers[0], "a", seconds(5));
  fixture.publish(numbers[1], "b", seconds(60), fixture.clock.now().wall + seconds(1));
  fixture.publish(numbers[2], "c", seconds(5));
  fixture.publish(numbers[3], "d", seconds(5));
  fixture.clock.advance(seconds(1));
  fixture.publish(numbers[4], "e", seconds(5));
  CHECK(fixture.publisher->published_until(fixture.key(numbers[1])) == BootTime::min());
  fixture.publisher->withdraw(fixture.key(numbers[2]));
  fixture.publish(numbers[5], "f", seconds(5));
  CHECK(fixture.counters().lease_collisions == 0);
  for (const int here : {0, 3, 4, 5}) CHECK(fixture.find(numbers[static_cast<std::size_t>(here)]));
}

TEST_CASE("a token short enough to guess is not published") {
  PublisherFixture fixture;
  const std::string claims = claims_of("user-1");
  const BootTime now = fixture.clock.now().boot;
  const claims::Entry entry{
      .confirmed_at = now, .fresh_until = now + seconds(60), .claims = claims};
  const std::string token(proto::kMinPublishedToken, 't');
  fixture.publisher->publish(0, token.substr(1), fixture.key(1), entry,
                             {.lease = now + seconds(5)});
  CHECK(fixture.publisher->used() == 0);
  CHECK(fixture.counters().leases_declined_short == 1);
  fixture.publisher->publish(0, token, fixture.key(1), entry, {.lease = now + seconds(5)});
  CHECK(fixture.reader.find(0, token, fixture.clock.now()));
}

TEST_CASE("claims too large for a slot are not published, and the previous lease is withdrawn") {
  PublisherFixture fixture;
  const std::size_t around = claims_of("u", "").size();
  const std::string fits = claims_of("u", std::string(proto::kMaxSlotClaims - around, 'x'));
  const std::string too_large =
      claims_of("u", std::string(proto::kMaxSlotClaims - around + 1, 'x'));
  fixture.publish_claims(1, fits);
  CHECK(fixture.find(1) == fits);
  fixture.publish_claims(1, too_large);
  CHECK_FALSE(fixture.find(1));
  CHECK(fixture.publisher->used() == 0);
  CHECK(fixture.counters().leases_declined_large == 1);
}

TEST_CASE("an invalid claims block or an ended lease is not published") {
  PublisherFixture fixture;
  fixture.publish_claims(1, "no block");
  CHECK(fixture.counters().leases_declined_failed == 1);
  fixture.publish(2, "user-2", seconds(0));
  fixture.publish(3, "user-3", seconds(5), fixture.clock.now().wall);
  CHECK(fixture.publisher->used() == 0);
}

TEST_CASE("readers ignore a map that was stopped or whose heartbeat is older than two seconds") {
  PublisherFixture fixture;
  CHECK(fixture.find(1) == std::nullopt);
  fixture.publish(1, "user-1", seconds(60));
  fixture.clock.advance(Duration(proto::kHeartbeatLimit));
  CHECK(fixture.find(1));
  fixture.clock.advance(Duration(1));
  CHECK_FALSE(fixture.find(1));
  fixture.publisher->heartbeat();
  CHECK(fixture.find(1));
  fixture.publisher->stop();
  CHECK(fixture.reader.header().heartbeat.load() == 0);
  CHECK_FALSE(fixture.find(1));
  SECTION("after a stop neither a heartbeat nor a lease reactivates it") {
    fixture.publisher->heartbeat();
    fixture.publish(2, "user-2");
    CHECK(fixture.reader.header().heartbeat.load() == 0);
    CHECK(fixture.publisher->used() == 1);
  }
}

TEST_CASE("ended leases are cleared from the map within a minute of heartbeats") {
  PublisherFixture fixture;
  for (int number = 0; number < 30; ++number) fixture.publish(number, "user", seconds(5));
  fixture.publish(99, "user", seconds(600));
  const std::uint64_t published = fixture.publisher->used();
  CHECK(published > 20);
  fixture.clock.advance(seconds(5));
  for (int beat = 0; beat < 240; ++beat) fixture.publisher->heartbeat();
  CHECK(fixture.publisher->used() == 1);
  std::size_t empty = 0;
  for (std::uint64_t at = 0; at < testing::kTestSlots; ++at) {
    const auto slot = fixture.reader.copy(at);
    empty += slot->words[proto::kSlotIndex] == 0 && slot->words[proto::kSlotCiphertext] == 0;
  }
  CHECK(empty == testing::kTestSlots - 1);
  CHECK(fixture.find(99));
  // They ended by themselves and were not withdrawn.
  CHECK(fixture.counters().leases_withdrawn == 0);
}

}  // namespace
}  // namespace claimsd::shm

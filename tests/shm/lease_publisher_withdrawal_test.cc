// Revocation in the map: no lookup that begins after a withdrawal finds the lease.
#include "tests/shm/publisher_fixture.h"

namespace claimsd::shm {
namespace {

using testing::PublisherFixture;
using testing::token_of;

TEST_CASE("withdrawing a lease clears its slot and no other") {
  PublisherFixture fixture;
  fixture.publish(1, "user-1");
  fixture.publish(2, "user-2");
  const auto at = fixture.reader.slot_of(0, token_of(1));
  const auto before = fixture.reader.copy(*at);
  fixture.publisher->withdraw(fixture.key(1));
  CHECK_FALSE(fixture.find(1));
  CHECK(fixture.find(2));
  const auto after = fixture.reader.copy(*at);
  REQUIRE(after);
  // The sequence has changed, so local tables do not accept their copy.
  CHECK(after->words[proto::kSlotSequence] > before->words[proto::kSlotSequence]);
  for (std::size_t word = 1; word < proto::kSlotWords; ++word) CHECK(after->words[word] == 0);
  CHECK(fixture.publisher->used() == 1);
  CHECK(fixture.counters().leases_withdrawn == 1);
}

TEST_CASE("withdrawing the lease that was published last changes the sequence of its slot, too") {
  PublisherFixture fixture;
  fixture.publish(1, "user-1");
  const auto at = fixture.reader.slot_of(0, token_of(1));
  const auto before = fixture.reader.copy(*at)->words[proto::kSlotSequence];
  fixture.publisher->withdraw(fixture.key(1));
  const auto after = fixture.reader.copy(*at);
  REQUIRE(after);
  CHECK(after->words[proto::kSlotSequence] > before);
  fixture.publish(2, "user-2");
  fixture.publisher->withdraw_user(0, "user-2");
  CHECK_FALSE(fixture.find(2));
}

TEST_CASE("withdrawing an unpublished token or user changes nothing") {
  PublisherFixture fixture;
  fixture.publish(1, "user-1");
  fixture.publisher->withdraw(fixture.key(2));
  fixture.publisher->withdraw_user(0, "user-2");
  fixture.publisher->withdraw_user(1, "user-1");
  CHECK(fixture.find(1));
  CHECK(fixture.counters().leases_withdrawn == 0);
}

TEST_CASE("withdrawing a user removes all leases of that user and no others") {
  PublisherFixture fixture(1024);
  for (int number = 0; number < 100; ++number)
    fixture.publish(number, number % 3 == 0 ? "culprit" : fmt::format("user-{}", number));
  // Including a slot that changed users and one that was renewed.
  fixture.publish(3, "user-other");
  fixture.publish(4, "culprit");
  fixture.publish(6, "culprit");
  fixture.publisher->withdraw_user(0, "culprit");
  for (int number = 0; number < 100; ++number) {
    const bool culprit = (number % 3 == 0 && number != 3) || number == 4;
    INFO(number);
    CHECK(fixture.find(number).has_value() == !culprit);
  }
  CHECK(fixture.counters().leases_withdrawn == 34);
}

TEST_CASE("withdrawing all voids every lease at once, and new leases are valid") {
  PublisherFixture fixture;
  for (int number = 0; number < 20; ++number) fixture.publish(number, "user");
  fixture.publisher->withdraw_all();
  for (int number = 0; number < 20; ++number) CHECK_FALSE(fixture.find(number));
  CHECK(fixture.publisher->used() == 0);
  CHECK(fixture.publisher->epoch() == 1);
  CHECK(fixture.reader.header().epoch.load() == 1);
  fixture.publish(3, "user");
  CHECK(fixture.find(3));
  CHECK_FALSE(fixture.find(4));
  SECTION("and can themselves be withdrawn") {
    fixture.publisher->withdraw_user(0, "user");
    CHECK_FALSE(fixture.find(3));
  }
  SECTION("and a second time") {
    fixture.publisher->withdraw_all();
    CHECK_FALSE(fixture.find(3));
  }
}

TEST_CASE("a lease published after a withdrawal has another sequence than the old one") {
  PublisherFixture fixture;
  fixture.publish(1, "user-1");
  const auto at = fixture.reader.slot_of(0, token_of(1));
  const auto before = fixture.reader.copy(*at)->words[proto::kSlotSequence];
  fixture.publisher->withdraw(fixture.key(1));
  fixture.publish(1, "user-1");
  CHECK(fixture.reader.copy(*fixture.reader.slot_of(0, token_of(1)))->words[proto::kSlotSequence] !=
        before);
}

TEST_CASE("with a fleet, a token and a user are withdrawn by their fingerprints") {
  testing::FakeFingerprinter fingerprinter;
  PublisherFixture fixture(1024, &fingerprinter);
  for (int number = 1; number <= 4; ++number)
    fixture.publish(number, number < 3 ? "culprit" : "other");
  fixture.publisher->withdraw_token_named(fingerprinter.of_token(token_of(3)));
  CHECK_FALSE(fixture.find(3));
  CHECK(fixture.find(4));
  fixture.publisher->withdraw_user_named(fingerprinter.of_user(1, "culprit"));
  CHECK(fixture.find(1));
  fixture.publisher->withdraw_user_named(fingerprinter.of_user(0, "culprit"));
  CHECK_FALSE(fixture.find(1));
  CHECK_FALSE(fixture.find(2));
  CHECK(fixture.find(4));
  CHECK(fixture.counters().leases_withdrawn == 3);
  // By name as well.
  CHECK(fixture.publisher->withdraw_token(token_of(4)));
  CHECK_FALSE(fixture.find(4));
}

TEST_CASE("without a fleet, withdrawing by a fingerprint withdraws everything") {
  PublisherFixture fixture;
  fixture.publish(1, "user-1");
  fixture.publisher->withdraw_token_named({});
  CHECK_FALSE(fixture.find(1));
  CHECK(fixture.counters().leases_withdrawn_all == 1);
}

}  // namespace
}  // namespace claimsd::shm

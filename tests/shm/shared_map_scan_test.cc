// What the map reveals to a holder of the descriptor without tokens.
#include <cstring>
#include <vector>

#include "tests/shm/publisher_fixture.h"

namespace claimsd::shm {
namespace {

using testing::PublisherFixture;
using testing::token_of;

constexpr int kUsers = 1000;

std::string user_of(int number) {
  return fmt::format("canary-id-{:04d}", number);
}

std::string raw_of(int number) {
  return fmt::format(
      R"({{"id":"{0}","email":"{0}@example.com","role":"canary-role","note":"{1}"}})",
      user_of(number), std::string(static_cast<std::size_t>(number % 300), 'n'));
}

std::string bytes_of(const MapMemory& map, std::uint64_t slots) {
  return {reinterpret_cast<const char*>(map.header), proto::map_size(slots)};
}

// Whether the secret occurs anywhere in the bytes.
bool holds(const std::string& bytes, std::string_view secret) {
  return bytes.find(secret) != std::string::npos;
}

TEST_CASE("a map of 1,000 users reveals no email, id, role or token") {
  constexpr std::uint64_t kSlots = 8192;
  PublisherFixture fixture(kSlots);
  for (int round = 0; round < 2; ++round)
    for (int number = 0; number < kUsers; ++number)
      fixture.publish_claims(number, testing::claims_of(user_of(number), raw_of(number)));
  int published = 0;
  for (int number = 0; number < kUsers; ++number) published += fixture.find(number).has_value();
  REQUIRE(published > kUsers * 99 / 100);
  // Withdrawn and ended leases leave nothing behind either.
  for (int number = 0; number < kUsers; number += 10)
    fixture.publisher->withdraw(fixture.key(number));

  const std::string bytes = bytes_of(fixture.map.memory(), kSlots);
  CHECK(holds(bytes, "CLMDMAP1"));  // proves that the search works
  CHECK_FALSE(holds(bytes, "canary"));
  CHECK_FALSE(holds(bytes, "example.com"));
  CHECK_FALSE(holds(bytes, "a-made-up-signature"));
  CHECK_FALSE(holds(bytes, "nnnnnnnn"));
  for (int number = 0; number < kUsers; ++number) {
    const std::string token = token_of(number);
    // Neither whole nor any 8 bytes that identify it.
    REQUIRE_FALSE(holds(bytes, token.substr(token.find('-') - 8, 8)));
    REQUIRE_FALSE(holds(bytes, user_of(number).substr(7)));
    // Nor the daemon's TokenKey.
    const claims::TokenKey key = fixture.key(number);
    REQUIRE_FALSE(holds(bytes, {reinterpret_cast<const char*>(key.bytes.data()), 16}));
  }
}

TEST_CASE("the scan above finds claims in the clear") {
  constexpr std::uint64_t kSlots = 64;
  PublisherFixture fixture(kSlots);
  const std::string claims = testing::claims_of("canary-id-0001");
  proto::SlotCopy slot{};
  std::memcpy(&slot.words[proto::kSlotCiphertext], claims.data(), claims.size());
  for (std::size_t at = 0; at < proto::kSlotWords; ++at)
    fixture.map.memory().slot(3)[at].store(slot.words[at]);
  CHECK(holds(bytes_of(fixture.map.memory(), kSlots), "canary"));
}

}  // namespace
}  // namespace claimsd::shm

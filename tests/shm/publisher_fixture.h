// publisher_fixture.h: a LeasePublisher on a real map, with a manual clock and a reader.
#pragma once

#include <fmt/core.h>

#include <array>
#include <string>

#include "daemon/shm/lease_publisher.h"
#include "proto/claims_block.h"
#include "tests/support/catch.h"
#include "tests/support/fake_world.h"
#include "tests/support/map_reader.h"

namespace claimsd::testing {

inline constexpr std::uint64_t kTestSlots = 64;

inline std::string token_of(int number) {
  return fmt::format("{:032d}-a-made-up-signature", number);
}

// Encodes the claims of a user as a block.
inline std::string claims_of(std::string_view user, std::string_view raw = "{}") {
  std::string block(proto::kMaxClaimsBlock, '\0');
  proto::Writer writer(block.data(), block.size());
  const std::array<std::string_view, 1> roles = {"canary-role"};
  REQUIRE(proto::encode_claims(writer, user, std::string(user) + "@example.com", roles, raw));
  block.resize(writer.size());
  return block;
}

struct PublisherFixture {
  explicit PublisherFixture(std::uint64_t slots = kTestSlots,
                            claims::Fingerprinter* fingerprinter = nullptr)
      : map(make_map(slots)) {
    auto made = shm::LeasePublisher::create(map.memory(), clock, random, fingerprinter);
    REQUIRE(made);
    publisher = std::move(*made);
  }

  static shm::SharedMap make_map(std::uint64_t slots) {
    auto made = shm::SharedMap::create(
        slots, {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16}, {0xb0});
    REQUIRE(made);
    return std::move(*made);
  }

  claims::TokenKey key(int number) { return numbered_key(static_cast<std::uint64_t>(number)); }

  // Publishes a lease of `user` for token `number`.
  void publish(int number, std::string_view user, Duration lease = seconds(5),
               WallTime hard = WallTime::max()) {
    publish_claims(number, claims_of(user), lease, hard);
  }
  void publish_claims(int number, std::string_view claims, Duration lease = seconds(5),
                      WallTime hard = WallTime::max()) {
    const BootTime now = clock.now().boot;
    const claims::Entry entry{.confirmed_at = now,
                              .fresh_until = now + seconds(60),
                              .expires_at = hard,
                              .flags = 0,
                              .claims = claims};
    publisher->publish(0, token_of(number), key(number), entry,
                       {.lease = now + lease, .hard = hard});
  }
  // What a worker with that token finds.
  std::optional<std::string> find(int number) {
    return reader.find(0, token_of(number), clock.now());
  }
  const shm::LeaseCounters& counters() const { return publisher->counters(); }

  FakeClock clock;
  SeededRandom random{1};
  shm::SharedMap map;
  std::unique_ptr<shm::LeasePublisher> publisher;
  MapReader reader{map.memory().header, map.memory().slots};
};

}  // namespace claimsd::testing

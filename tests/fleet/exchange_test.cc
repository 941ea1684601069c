#include "daemon/fleet/exchange.h"

#include <set>

#include "tests/support/catch.h"
#include "tests/support/fake_world.h"

namespace claimsd::fleet {
namespace {

constexpr WallTime kHorizon(seconds(1'000));

// One host, and what it publishes.
struct Host {
  explicit Host(std::uint64_t seed) : random(seed) {}
  void add(std::uint32_t number) {
    ItemId id;
    testing::SeededRandom(number).fill(id.id.data(), id.id.size());
    items.insert(id, {.ends = WallTime(seconds(2'000)), .content = "content"});
  }
  testing::SeededRandom random;
  ItemSet items;
  Exchange exchange{items, random};
};

// Passes every message on until there is none for five seconds. Returns what was published.
std::set<ItemId> settle(Host& asks, Host& writes, testing::FakeClock& clock,
                        std::size_t& messages) {
  std::set<ItemId> published;
  for (int quiet = 0; quiet < 100; ++quiet) {
    clock.advance(milliseconds(50));
    for (Host* const from : {&asks, &writes}) {
      Host& to = from == &asks ? writes : asks;
      const bool to_wrote = &to == &writes;
      const Exchange::Messages sent = from->exchange.tick(clock.now());
      if (sent.buckets) to.exchange.on_buckets(*sent.buckets, to_wrote, clock.now());
      for (const auto& ids : sent.ids) to.exchange.on_ids(ids, to_wrote, clock.now());
      for (const ItemId& id : sent.items) {
        to.items.insert(id, {.ends = WallTime(seconds(2'000)), .content = "content"});
        to.exchange.seen(id);
        published.insert(id);
      }
      messages += (sent.buckets ? 1 : 0) + sent.ids.size() + sent.items.size();
      if (sent.buckets || !sent.ids.empty() || !sent.items.empty()) quiet = 0;
    }
  }
  return published;
}

void expect_repaired(std::size_t common, std::size_t only_asks, std::size_t only_writes) {
  Host asks(1);
  Host writes(2);
  testing::FakeClock clock;
  std::uint32_t number = 0;
  for (std::size_t at = 0; at < common; ++at) {
    asks.add(number);
    writes.add(number++);
  }
  for (std::size_t at = 0; at < only_asks; ++at) asks.add(number++);
  for (std::size_t at = 0; at < only_writes; ++at) writes.add(number++);
  asks.exchange.behind(kHorizon, clock.now());
  std::size_t messages = 0;
  const std::set<ItemId> published = settle(asks, writes, clock, messages);
  CHECK(published.size() == only_asks + only_writes);
  CHECK(asks.items.digest(kHorizon) == writes.items.digest(kHorizon));
  CHECK(asks.exchange.queued() == 0);
  CHECK(writes.exchange.queued() == 0);
}

TEST_CASE("an exchange publishes exactly what one of two hosts lacks") {
  expect_repaired(5'000, 0, 1);
  expect_repaired(5'000, 1, 0);
  expect_repaired(5'000, 20, 20);
  expect_repaired(0, 0, 300);
}

TEST_CASE("hosts with equal sets exchange nothing") {
  Host asks(1);
  Host writes(2);
  testing::FakeClock clock;
  for (std::uint32_t at = 0; at < 100; ++at) {
    asks.add(at);
    writes.add(at);
  }
  asks.exchange.behind(kHorizon, clock.now());
  std::size_t messages = 0;
  CHECK(settle(asks, writes, clock, messages).empty());
  CHECK(messages == 1);  // its buckets
}

TEST_CASE("a host that does not become current asks less and less often") {
  Host asks(1);
  testing::FakeClock clock;
  int asked = 0;
  for (int step = 0; step < 20 * 300; ++step) {
    asks.exchange.behind(kHorizon, clock.now());
    if (asks.exchange.tick(clock.now()).buckets) ++asked;
    clock.advance(milliseconds(50));
  }
  CHECK(asked > 5);
  CHECK(asked < 25);  // in five minutes
}

TEST_CASE("an item that another host publishes first is not published again") {
  Host holder(1);
  testing::FakeClock clock;
  holder.add(1);
  const ItemId id = [&] {
    ItemId found;
    holder.items.each({}, [&](const ItemId& each, const Item&) {
      found = each;
      return true;
    });
    return found;
  }();
  proto::FleetIds empty{.horizon = kHorizon.time_since_epoch().count(), .bucket = bucket_of(id)};
  empty.after.id.front() = bucket_of(id);
  holder.exchange.on_ids(empty, false, clock.now());
  holder.exchange.seen(id);
  clock.advance(seconds(10));
  CHECK(holder.exchange.tick(clock.now()).items.empty());
}

TEST_CASE("the queue of an exchange is bounded") {
  Host holder(1);
  testing::FakeClock clock;
  for (std::uint32_t at = 0; at < Exchange::kMaxQueued + 5'000; ++at) holder.add(at);
  for (std::size_t bucket = 0; bucket < proto::kFleetBuckets; ++bucket) {
    proto::FleetIds empty{.horizon = kHorizon.time_since_epoch().count(),
                          .bucket = static_cast<std::uint8_t>(bucket)};
    empty.after.id.front() = static_cast<std::uint8_t>(bucket);
    holder.exchange.on_ids(empty, true, clock.now());
  }
  CHECK(holder.exchange.queued() <= Exchange::kMaxQueued + proto::kFleetBuckets);
  CHECK(holder.exchange.tick(clock.now()).items.size() == Exchange::kItemsPerTick);
}

}  // namespace
}  // namespace claimsd::fleet

// The seqlock under concurrent reads. CLAIMSD_MAP_READS sets the number of reads (default a
// million); use more by hand and in CI.
#include "daemon/shm/slot_writer.h"

#include <atomic>
#include <cstdlib>
#include <thread>

#include "tests/shm/publisher_fixture.h"

namespace claimsd::shm {
namespace {

using testing::MapReader;
using testing::PublisherFixture;
using testing::token_of;

std::uint64_t wanted_reads() {
  const char* const text = std::getenv("CLAIMSD_MAP_READS");  // NOLINT(concurrency-mt-unsafe)
  return text != nullptr ? std::strtoull(text, nullptr, 10) : 1'000'000;
}

TEST_CASE("a slot holds exactly the words that were written") {
  const SharedMap map = PublisherFixture::make_map(64);
  MapReader reader(map.memory().header, map.memory().slots);
  for (std::uint64_t round = 1; round < 4; ++round) {
    proto::SlotCopy copy{};
    for (std::size_t at = 1; at < proto::kSlotWords; ++at) copy.words[at] = round * 1000 + at;
    copy.words[proto::kSlotSequence] = 2 * round;
    write_slot(map.memory().slot(5), copy);
    const auto read = reader.copy(5);
    REQUIRE(read);
    CHECK(read->words == copy.words);
  }
  CHECK(reader.copy(4)->words[proto::kSlotSequence] == 0);
  CHECK(reader.copy(6)->words[proto::kSlotSequence] == 0);
}

TEST_CASE("a slot whose writer was killed midway is rejected by readers, which do not wait") {
  PublisherFixture fixture;
  fixture.publish(1, "user-1");
  const std::uint64_t at = *fixture.reader.slot_of(0, token_of(1));
  proto::MapWord& sequence = fixture.map.memory().slot(at)[proto::kSlotSequence];
  sequence.store(sequence.load() + 1);
  CHECK_FALSE(fixture.reader.copy(at));
  CHECK_FALSE(fixture.find(1));
}

// All words of a write have the same number, so a torn copy has two.
TEST_CASE("no reader sees a partial write") {
  const SharedMap map = PublisherFixture::make_map(64);
  const std::uint64_t reads = wanted_reads();
  std::atomic<bool> stop{false};
  std::uint64_t wrong = 0;
  std::uint64_t good = 0;
  std::uint64_t torn = 0;
  std::thread reading([&] {
    MapReader reader(map.memory().header, map.memory().slots);
    std::uint64_t newest = 0;
    for (std::uint64_t read = 0; read < reads; ++read) {
      const auto copy = reader.copy(read % 2);
      if (!copy) continue;
      ++good;
      const std::uint64_t sequence = copy->words[proto::kSlotSequence];
      for (std::size_t at = 1; at < proto::kSlotWords; ++at)
        wrong += copy->words[at] != sequence * (sequence != 0);
      if (read % 2 == 0) {
        wrong += sequence < newest;  // never goes backwards
        newest = sequence;
      }
    }
    torn = reader.torn();
    stop.store(true, std::memory_order_relaxed);
  });
  std::uint64_t sequence = 0;
  while (!stop.load(std::memory_order_relaxed)) {
    sequence += 2;
    proto::SlotCopy copy;
    copy.words.fill(sequence);
    write_slot(map.memory().slot(sequence / 2 % 2), copy);
  }
  reading.join();
  CHECK(wrong == 0);
  CHECK(good > reads / 10);
  INFO("copies thrown away: " << torn);
  CHECK(sequence > 1000);  // slots were written meanwhile
}

// The same with real leases: every lookup returns the claims of that token or nothing.
TEST_CASE("concurrent lookups during publish, renew and withdraw find the right claims or none") {
  PublisherFixture fixture;
  const Now now = fixture.clock.now();
  const std::uint64_t reads = wanted_reads() / 10;
  constexpr int kTokens = 8;
  // Computed before the thread starts: Catch's assertions are not thread-safe.
  std::array<std::string, kTokens> tokens, users;
  for (int number = 0; number < kTokens; ++number) {
    tokens[static_cast<std::size_t>(number)] = token_of(number);
    users[static_cast<std::size_t>(number)] = fmt::format("user-{}", number);
  }
  std::atomic<bool> stop{false};
  std::uint64_t wrong = 0;
  std::uint64_t found = 0;
  std::thread reading([&] {
    MapReader reader(fixture.map.memory().header, fixture.map.memory().slots);
    for (std::uint64_t read = 0; read < reads; ++read) {
      const auto claims = reader.find(0, tokens[read % kTokens], now);
      if (!claims) continue;
      ++found;
      proto::ClaimsView view;
      wrong += !proto::decode_claims(*claims, view) || view.id != users[read % kTokens];
    }
    stop.store(true, std::memory_order_relaxed);
  });
  int number = 0;
  for (std::uint64_t step = 0; !stop.load(std::memory_order_relaxed); ++step) {
    number = static_cast<int>(step % kTokens);
    fixture.publish_claims(number, testing::claims_of(users[static_cast<std::size_t>(number)],
                                                      std::string(step % 500, 'r')));
    if (step % 16 == 7) fixture.publisher->withdraw(fixture.key(number));
    if (step % 4096 == 4095) fixture.publisher->withdraw_all();
  }
  reading.join();
  CHECK(wrong == 0);
  CHECK(found > reads / 10);
  CHECK(fixture.counters().leases_renewed > 100);
}

}  // namespace
}  // namespace claimsd::shm

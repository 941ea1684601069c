#include "daemon/store/write_behind.h"

#include <sys/wait.h>
#include <unistd.h>

#include <map>
#include <utility>

#include "tests/store/store_fixture.h"
#include "tests/support/catch.h"

using namespace claimsd;
using namespace claimsd::store;
using namespace claimsd::store::testing;

namespace {

constexpr std::string_view kClaims = R"({"id":"u-1","email":"canary@example.org"})";

struct BehindBench {
  CacheBench bench;
  std::unique_ptr<LmdbClaimsCache> file = bench.open();
  std::optional<WriteBehindCache> cache{std::in_place, *file, bench.clock};

  // Simulates a kill followed by a restart.
  void lose_memory() {
    const std::string identity = read_file(bench.options.directory + "/identity");
    const std::string data = read_file(bench.data_path());
    cache.reset();
    file.reset();
    write_file(bench.options.directory + "/identity", identity);
    write_file(bench.data_path(), data);
    file = bench.open();
    cache.emplace(*file, bench.clock);
  }
  void restart() {
    cache.reset();
    file.reset();
    file = bench.open();
    cache.emplace(*file, bench.clock);
  }
  bool keeps(const claims::TokenKey& key, std::string_view claims) {
    const auto found = cache->find(key);
    return found && found->claims == claims;
  }
};

}  // namespace

TEST_CASE("an entry waiting to be written is found unchanged") {
  BehindBench at;
  const claims::Entry entry = entry_with(kClaims);
  REQUIRE(at.cache->put(key_number(1), entry) == claims::Stored::kStored);
  CHECK(at.file->entries() == 0);  // so the waiting entry is found
  const auto found = at.cache->find(key_number(1));
  REQUIRE(found);
  CHECK(found->confirmed_at == entry.confirmed_at);
  CHECK(found->fresh_until == entry.fresh_until);
  CHECK(found->expires_at == entry.expires_at);
  CHECK(found->issued_at == entry.issued_at);
  CHECK(found->flags == entry.flags);
  CHECK(found->claims == kClaims);
  CHECK_FALSE(at.cache->find(key_number(2)));
  CHECK(at.cache->entries() == 1);
}

TEST_CASE(
    "waiting entries are due once the oldest has waited for the delay, and are then written") {
  BehindBench at;
  CHECK_FALSE(at.cache->due());
  const BootTime first = at.bench.clock.boot;
  REQUIRE(at.cache->put(key_number(1), entry_with("one")) == claims::Stored::kStored);
  at.bench.clock.boot += milliseconds(20);
  REQUIRE(at.cache->put(key_number(2), entry_with("two")) == claims::Stored::kStored);
  CHECK(at.cache->due() == first + WriteBehindCache::kDelay);
  at.cache->flush();
  CHECK_FALSE(at.cache->due());
  CHECK(at.cache->waiting() == 0);
  CHECK(at.file->entries() == 2);
  at.lose_memory();
  CHECK(at.keeps(key_number(1), "one"));
  CHECK(at.keeps(key_number(2), "two"));
}

TEST_CASE("many due entries are written a few at a time, oldest first, until none is waiting") {
  BehindBench at;
  constexpr std::uint64_t kMany = 2 * WriteBehindCache::kTogether + 3;
  for (std::uint64_t i = 0; i < kMany; ++i) {
    REQUIRE(at.cache->put(key_number(i), entry_with(kClaims)) == claims::Stored::kStored);
  }
  BootTime due = at.bench.clock.boot + WriteBehindCache::kDelay;
  std::uint64_t written = 0;
  while (at.cache->waiting() > 0) {
    CHECK(at.cache->due() == due);
    at.bench.clock.boot = due;
    at.cache->flush_some();
    due += WriteBehindCache::kBetween;
    const std::uint64_t before = std::exchange(written, at.file->entries());
    CHECK(written > before);
    CHECK(written - before <= WriteBehindCache::kTogether);
    CHECK(at.file->find(key_number(written - 1)));
    CHECK(at.cache->entries() == kMany);
  }
  CHECK_FALSE(at.cache->due());
  CHECK(written == kMany);
}

TEST_CASE("a put replaces the waiting entry and, once written, the one in the file") {
  BehindBench at;
  REQUIRE(at.cache->put(key_number(1), entry_with("first")) == claims::Stored::kStored);
  at.cache->flush();
  REQUIRE(at.cache->put(key_number(1), entry_with("second")) == claims::Stored::kStored);
  REQUIRE(at.cache->put(key_number(1), entry_with("the third")) == claims::Stored::kStored);
  CHECK(at.cache->waiting() == 1);
  CHECK(at.cache->entries() == 1);
  CHECK(at.keeps(key_number(1), "the third"));
  at.restart();
  CHECK(at.keeps(key_number(1), "the third"));
}

TEST_CASE("a waiting entry returned by find can be stored again, even if that causes a flush") {
  BehindBench at;
  REQUIRE(at.cache->put(key_number(0), entry_with(kClaims)) == claims::Stored::kStored);
  for (std::uint64_t i = 1; i < 200; ++i) {
    const auto found = at.cache->find(key_number(i - 1));
    REQUIRE(found);
    REQUIRE(at.cache->put(key_number(i - 1), *found) == claims::Stored::kStored);
    REQUIRE(at.cache->put(key_number(i), *at.cache->find(key_number(i - 1))) ==
            claims::Stored::kStored);
  }
  for (std::uint64_t i = 0; i < 200; ++i) CHECK(at.keeps(key_number(i), kClaims));
  CHECK(at.cache->entries() == 200);
}

TEST_CASE("waiting entries are limited by number and by bytes") {
  BehindBench at;
  const std::string large(20'000, 'c');
  for (std::uint64_t i = 0; i < 300; ++i) {
    REQUIRE(at.cache->put(key_number(i), entry_with(i < 200 ? std::string_view("c") : large)) ==
            claims::Stored::kStored);
    CHECK(at.cache->waiting() <= WriteBehindCache::kMaxEntries);
    if (i >= 200 + WriteBehindCache::kMaxEntries) {
      CHECK(at.cache->waiting() * large.size() <= WriteBehindCache::kMaxBytes);
    }
  }
  CHECK(at.file->entries() >= 300 - WriteBehindCache::kMaxEntries);
  CHECK(at.cache->entries() == 300);
}

TEST_CASE("an entry erased while waiting does not reach the file") {
  BehindBench at;
  for (std::uint64_t i = 0; i < 3; ++i) {
    REQUIRE(at.cache->put(key_number(i), entry_with(kClaims)) == claims::Stored::kStored);
  }
  CHECK(at.cache->erase(key_number(0)));
  CHECK_FALSE(at.cache->find(key_number(0)));
  at.cache->flush();
  CHECK_FALSE(at.cache->find(key_number(0)));
  CHECK(at.file->entries() == 2);
  CHECK(at.cache->find(key_number(1)));
  CHECK(at.cache->find(key_number(2)));
}

TEST_CASE("erasing a waiting entry also removes an older one from the file at once") {
  BehindBench at;
  REQUIRE(at.cache->put(key_number(1), entry_with("older")) == claims::Stored::kStored);
  at.cache->flush();
  REQUIRE(at.cache->put(key_number(1), entry_with("newer")) == claims::Stored::kStored);
  CHECK(at.cache->erase(key_number(1)));
  at.lose_memory();
  CHECK_FALSE(at.cache->find(key_number(1)));
}

TEST_CASE("the destructor writes waiting entries") {
  BehindBench at;
  REQUIRE(at.cache->put(key_number(1), entry_with(kClaims)) == claims::Stored::kStored);
  at.restart();
  CHECK(at.keeps(key_number(1), kClaims));
}

TEST_CASE("each lists every entry once, waiting or written") {
  BehindBench at;
  std::map<claims::TokenKey, int> listed;
  for (std::uint64_t i = 0; i < 100; ++i) {
    REQUIRE(at.cache->put(key_number(i % 80), entry_with(kClaims)) == claims::Stored::kStored);
  }
  at.cache->each([&](const claims::TokenKey& key, BootTime) { ++listed[key]; });
  CHECK(listed.size() == 80);
  for (const auto& [key, times] : listed) CHECK(times == 1);
}

TEST_CASE(
    "a full map is reported by the put that encounters it, and no acknowledged entry is lost") {
  BehindBench at;
  at.cache.reset();
  at.file.reset();
  at.bench.options.map_size = std::size_t{4} << 20;
  at.file = at.bench.open();
  at.cache.emplace(*at.file, at.bench.clock);
  const std::string claims(300, 'c');
  std::uint64_t taken = 0;
  std::size_t most = 0;
  claims::Stored last = claims::Stored::kStored;
  for (; last == claims::Stored::kStored; ++taken) {
    last = at.cache->put(key_number(taken), entry_with(claims));
    most = std::max(most, at.cache->waiting());
  }
  --taken;
  CHECK(last == claims::Stored::kFull);
  CHECK(most == WriteBehindCache::kMaxEntries);  // otherwise only LmdbClaimsCache was tested
  at.cache->flush();
  CHECK(at.cache->lost() == 0);
  CHECK(at.file->entries() == taken);
  for (std::uint64_t i = 0; i < taken; ++i) CHECK(at.cache->find(key_number(i)));
  std::uint64_t evicted = 0;
  while (at.cache->put(key_number(taken), entry_with(claims)) == claims::Stored::kFull) {
    REQUIRE(evicted < taken);
    REQUIRE(at.cache->erase(key_number(evicted++)));
  }
  CHECK(at.cache->find(key_number(taken)));
}

TEST_CASE("claims too large for the cache are rejected at once, and the older entry stays") {
  BehindBench at;
  REQUIRE(at.cache->put(key_number(1), entry_with("older")) == claims::Stored::kStored);
  const std::string large(kMaxStoredClaims + 1, 'c');
  CHECK(at.cache->put(key_number(1), entry_with(large)) == claims::Stored::kFailed);
  CHECK(at.keeps(key_number(1), "older"));
}

TEST_CASE("entries that a flush cannot write are counted and removed, including older versions") {
  BehindBench at;
  REQUIRE(at.cache->put(key_number(1), entry_with("older")) == claims::Stored::kStored);
  at.cache->flush();
  REQUIRE(at.cache->put(key_number(1), entry_with("newer")) == claims::Stored::kStored);
  REQUIRE(at.cache->put(key_number(2), entry_with("another")) == claims::Stored::kStored);
  {
    const FullDisk disk(0);
    at.cache->flush();
  }
  CHECK(at.cache->lost() == 2);
  CHECK(at.cache->waiting() == 0);
  CHECK_FALSE(at.cache->find(key_number(1)));
  CHECK_FALSE(at.cache->find(key_number(2)));
  at.bench.clock.boot += seconds(2);
  CHECK(at.cache->put(key_number(2), entry_with("again")) == claims::Stored::kStored);
  CHECK(at.keeps(key_number(2), "again"));
  at.lose_memory();
  CHECK_FALSE(at.cache->find(key_number(1)));
}

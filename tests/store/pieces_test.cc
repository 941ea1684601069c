#include "daemon/store/pieces.h"

#include <deque>

#include "proto/limits.h"
#include "tests/store/store_fixture.h"
#include "tests/support/catch.h"

using namespace claimsd;
using namespace claimsd::store;
using namespace claimsd::store::testing;

namespace {

std::string claims_of(std::size_t size, std::uint64_t number) {
  std::string text = fmt::format("{:08}", number);
  text.resize(size, static_cast<char>('a' + number % 26));
  return text;
}

bool keeps(LmdbClaimsCache& cache, std::uint64_t number, std::size_t size) {
  const auto found = cache.find(key_number(number));
  return found && found->claims == claims_of(size, number);
}

}  // namespace

TEST_CASE("values around the size of a piece survive a reopening") {
  CacheBench bench;
  std::vector<std::size_t> sizes;
  for (const std::size_t pieces : {1, 2, 3})
    for (std::size_t at = 0; at < 100; ++at) sizes.push_back(pieces * kPieceSize - 90 + at);
  sizes.push_back(proto::kMaxClaimsBlock);
  {
    auto cache = bench.open();
    for (std::size_t i = 0; i < sizes.size(); ++i)
      REQUIRE(cache->put(key_number(i), entry_with(claims_of(sizes[i], i))) ==
              claims::Stored::kStored);
    CHECK(cache->entries() == sizes.size());
  }
  auto cache = bench.open();
  CHECK(cache->entries() == sizes.size());
  for (std::size_t i = 0; i < sizes.size(); ++i) CHECK(keeps(*cache, i, sizes[i]));
}

TEST_CASE("a replaced or erased value leaves no piece behind") {
  CacheBench bench;
  auto cache = bench.open();
  for (const std::size_t size : {80'000, 300, 20'000, 5'000, 300})
    REQUIRE(cache->put(key_number(1), entry_with(claims_of(size, 1))) == claims::Stored::kStored);
  CHECK(cache->entries() == 1);
  CHECK(keeps(*cache, 1, 300));
  REQUIRE(cache->put(key_number(2), entry_with(claims_of(80'000, 2))) == claims::Stored::kStored);
  REQUIRE(cache->erase(key_number(2)));
  REQUIRE(cache->erase(key_number(1)));
  CHECK(cache->entries() == 0);
  cache.reset();
  CHECK(bench.open()->entries() == 0);
}

TEST_CASE("a large entry is listed once, with all of its claims") {
  CacheBench bench;
  auto cache = bench.open();
  for (std::uint64_t i = 0; i < 20; ++i)
    REQUIRE(cache->put(key_number(i), entry_with(claims_of(i % 2 == 0 ? 300 : 60'000, i))) ==
            claims::Stored::kStored);
  std::size_t listed = 0;
  std::optional<claims::TokenKey> after;
  do {
    after = cache->scan(after, 500, [&](const claims::TokenKey&, const claims::Entry& entry) {
      ++listed;
      CHECK((entry.claims.size() == 300 || entry.claims.size() == 60'000));
    });
  } while (after);
  CHECK(listed == 20);
  std::size_t seen = 0;
  cache->each([&](const claims::TokenKey&, BootTime) { ++seen; });
  CHECK(seen == 20);
}

TEST_CASE("a missing piece makes the entry unreadable, not shorter") {
  CacheBench bench;
  bench.open()->put(key_number(1), entry_with(claims_of(10'000, 1)));
  {
    LmdbEnvironment::Options options;
    options.path = bench.data_path();
    options.map_size = std::size_t{64} << 20;
    options.exclusive = true;
    auto environment = LmdbEnvironment::open(options);
    REQUIRE(environment);
    const LmdbTable table = *environment->table();
    auto writer = environment->write();
    const claims::TokenKey key = key_number(1);
    std::string second(reinterpret_cast<const char*>(key.bytes.data()), key.bytes.size());
    second += '\2';
    REQUIRE(writer->erase(table, second));
    REQUIRE(writer->commit());
  }
  CHECK_FALSE(bench.open()->find(key_number(1)));
}

TEST_CASE("in a full and fragmented cache large entries take the place of evicted ones") {
  CacheBench bench;
  auto cache = bench.open();
  std::deque<std::pair<std::uint64_t, std::size_t>> kept;  // oldest first
  std::uint64_t next = 0;
  const auto size_of = [](std::uint64_t number) {
    constexpr std::size_t kSizes[] = {300, 80'000, 1'000, 25'000, 4'000, 60'000, 700};
    return kSizes[number % std::size(kSizes)] + number % 97;
  };
  const auto evict = [&] {
    REQUIRE_FALSE(kept.empty());
    REQUIRE(cache->erase(key_number(kept.front().first)));
    kept.pop_front();
  };
  for (int rounds = 0; rounds < 4'000; ++rounds, ++next) {
    const std::size_t size = size_of(next);
    claims::Stored stored = cache->put(key_number(next), entry_with(claims_of(size, next)));
    // What ClaimsService does: one more eviction for each failed try.
    for (int tries = 0; stored == claims::Stored::kFull && tries < 16; ++tries) {
      for (int i = 0; i <= tries && !kept.empty(); ++i) evict();
      stored = cache->put(key_number(next), entry_with(claims_of(size, next)));
    }
    REQUIRE(stored == claims::Stored::kStored);
    kept.emplace_back(next, size);
  }
  CHECK(cache->counters().full > 0);
  CHECK(cache->entries() == kept.size());
  for (const auto& [number, size] : kept) REQUIRE(keeps(*cache, number, size));
}

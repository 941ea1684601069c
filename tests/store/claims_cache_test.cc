#include "daemon/store/claims_cache.h"

#include <map>

#include "proto/limits.h"
#include "tests/store/store_fixture.h"
#include "tests/support/catch.h"

using namespace claimsd;
using namespace claimsd::store;
using namespace claimsd::store::testing;

static_assert(kMaxStoredClaims >= claimsd::proto::kMaxClaimsBlock);

namespace {

constexpr std::string_view kClaims = R"({"id":"u-1","email":"canary@example.org","role":"rvt"})";

bool keeps(LmdbClaimsCache& cache, const claims::TokenKey& key, std::string_view claims) {
  const auto found = cache.find(key);
  return found && found->claims == claims;
}

// Direct access to the data file, as by another program.
struct RawData {
  LmdbEnvironment environment;
  LmdbTable table;

  static RawData open(const CacheBench& bench) {
    LmdbEnvironment::Options options;
    options.path = bench.data_path();
    options.map_size = std::size_t{64} << 20;
    options.exclusive = true;
    auto environment = LmdbEnvironment::open(options);
    REQUIRE(environment);
    const LmdbTable table = *environment->table();
    return {std::move(*environment), table};
  }
  static std::string_view name(const claims::TokenKey& key) {
    return {reinterpret_cast<const char*>(key.bytes.data()), key.bytes.size()};
  }
  std::string get(const claims::TokenKey& key) {
    return std::string(environment.read()->get(table, name(key)).value());
  }
  void put(const claims::TokenKey& key, std::string_view value) {
    auto writer = environment.write();
    REQUIRE(writer->put(table, name(key), value));
    REQUIRE(writer->commit());
  }
};

}  // namespace

TEST_CASE("an entry is unchanged by put and find") {
  CacheBench bench;
  auto cache = bench.open();
  const claims::Entry entry = entry_with(kClaims);
  CHECK(cache->find(key_number(1)) == std::nullopt);
  REQUIRE(cache->put(key_number(1), entry) == claims::Stored::kStored);
  const auto found = cache->find(key_number(1));
  REQUIRE(found);
  CHECK(found->confirmed_at == entry.confirmed_at);
  CHECK(found->fresh_until == entry.fresh_until);
  CHECK(found->expires_at == entry.expires_at);
  CHECK(found->issued_at == entry.issued_at);
  CHECK(found->flags == entry.flags);
  CHECK(found->claims == kClaims);
  CHECK(cache->find(key_number(2)) == std::nullopt);
  CHECK(cache->entries() == 1);
}

TEST_CASE("extreme times and empty claims are stored unchanged") {
  CacheBench bench;
  auto cache = bench.open();
  claims::Entry entry;
  entry.fresh_until = BootTime::max();
  REQUIRE(cache->put(key_number(1), entry) == claims::Stored::kStored);
  const auto found = cache->find(key_number(1));
  REQUIRE(found);
  CHECK(found->fresh_until == BootTime::max());
  CHECK(found->expires_at == WallTime::max());
  CHECK(found->issued_at == WallTime::min());
  CHECK(found->claims.empty());
}

TEST_CASE("a second put replaces the first") {
  CacheBench bench;
  auto cache = bench.open();
  REQUIRE(cache->put(key_number(1), entry_with("first")) == claims::Stored::kStored);
  cache = nullptr;
  cache = bench.open();
  CHECK(keeps(*cache, key_number(1), "first"));  // once from the file
  REQUIRE(cache->put(key_number(1), entry_with("a longer second")) == claims::Stored::kStored);
  CHECK(keeps(*cache, key_number(1), "a longer second"));
  CHECK(cache->entries() == 1);
}

TEST_CASE("small and large entries replace each other") {
  CacheBench bench;
  auto cache = bench.open();
  const std::string large(8'000, 'c');
  REQUIRE(cache->put(key_number(1), entry_with("small")) == claims::Stored::kStored);
  REQUIRE(cache->put(key_number(1), entry_with(large)) == claims::Stored::kStored);
  CHECK(keeps(*cache, key_number(1), large));
  REQUIRE(cache->put(key_number(1), entry_with("small again")) == claims::Stored::kStored);
  CHECK(keeps(*cache, key_number(1), "small again"));
}

TEST_CASE("a failed put keeps the previous entry") {
  CacheBench bench;
  auto cache = bench.open();
  REQUIRE(cache->put(key_number(1), entry_with("first")) == claims::Stored::kStored);
  const std::string too_large(kMaxStoredClaims + 1, 'c');
  CHECK(cache->put(key_number(1), entry_with(too_large)) == claims::Stored::kFailed);
  CHECK(keeps(*cache, key_number(1), "first"));
}

TEST_CASE("an entry returned by find can be stored again") {
  CacheBench bench;
  auto cache = bench.open();
  REQUIRE(cache->put(key_number(1), entry_with(kClaims)) == claims::Stored::kStored);
  auto found = cache->find(key_number(1));
  REQUIRE(found);
  found->fresh_until += seconds(5);
  REQUIRE(cache->put(key_number(1), *found) == claims::Stored::kStored);
  REQUIRE(cache->put(key_number(2), *found) == claims::Stored::kStored);
  CHECK(keeps(*cache, key_number(1), kClaims));
  CHECK(keeps(*cache, key_number(2), kClaims));
}

TEST_CASE("an erased entry is gone, also after a restart") {
  CacheBench bench;
  {
    auto cache = bench.open();
    REQUIRE(cache->put(key_number(1), entry_with(kClaims)) == claims::Stored::kStored);
    REQUIRE(cache->put(key_number(2), entry_with(kClaims)) == claims::Stored::kStored);
    CHECK(cache->erase(key_number(1)));
    CHECK(cache->erase(key_number(1)));  // erasing twice is fine
    CHECK_FALSE(cache->find(key_number(1)));
    CHECK(cache->entries() == 1);
  }
  auto cache = bench.open();
  CHECK_FALSE(cache->find(key_number(1)));
  CHECK(keeps(*cache, key_number(2), kClaims));
}

TEST_CASE("claims of every size on the wire are stored; larger ones are not") {
  CacheBench bench;
  auto cache = bench.open();
  for (const std::size_t size : {1U, 1'900U, 2'100U, 4'096U, 20'480U, 32'768U}) {
    const std::string claims(size, 'c');
    REQUIRE(cache->put(key_number(size), entry_with(claims)) == claims::Stored::kStored);
    CHECK(keeps(*cache, key_number(size), claims));
  }
  const std::string large(kMaxStoredClaims + 1, 'c');
  CHECK(cache->put(key_number(1), entry_with(large)) == claims::Stored::kFailed);
  CHECK(keeps(*cache, key_number(1), "c"));
  CHECK(cache->counters().failed == 1);
}

TEST_CASE("entries survive a restart of the daemon and are listed with their expiry") {
  CacheBench bench;
  std::map<claims::TokenKey, BootTime> expected;
  std::string token_key_key;
  {
    auto cache = bench.open();
    token_key_key = cache->token_key_key().view();
    for (std::uint64_t i = 0; i < 500; ++i) {
      claims::Entry entry = entry_with(kClaims);
      entry.fresh_until = BootTime(seconds(i));
      expected[key_number(i)] = entry.fresh_until;
      REQUIRE(cache->put(key_number(i), entry) == claims::Stored::kStored);
    }
  }
  auto cache = bench.open();
  CHECK(cache->token_key_key().view() == token_key_key);
  CHECK(cache->entries() == 500);
  std::map<claims::TokenKey, BootTime> listed;
  cache->each(
      [&](const claims::TokenKey& key, BootTime fresh_until) { listed[key] = fresh_until; });
  CHECK(listed == expected);
  for (std::uint64_t i = 0; i < 500; ++i) CHECK(keeps(*cache, key_number(i), kClaims));
  CHECK(bench.log.has("kept 500 cached entries"));
}

TEST_CASE("after a reboot or a new host key the cache starts empty with new keys, and says so") {
  CacheBench bench;
  std::string before;
  {
    auto cache = bench.open();
    before = cache->token_key_key().view();
    REQUIRE(cache->put(key_number(1), entry_with(kClaims)) == claims::Stored::kStored);
  }
  SECTION("another boot") {
    bench.options.boot_id = "boot-2";
  }
  SECTION("another host key") {
    bench.host_key[31] = 'x';
  }
  auto cache = bench.open();
  CHECK_FALSE(cache->find(key_number(1)));
  CHECK(cache->entries() == 0);
  CHECK(cache->token_key_key().view() != before);
  CHECK(bench.log.count("cache_empty") == 2);
  REQUIRE(cache->put(key_number(1), entry_with(kClaims)) == claims::Stored::kStored);
  CHECK(keeps(*cache, key_number(1), kClaims));
}

TEST_CASE("a changed, truncated or missing identity file starts an empty cache") {
  CacheBench bench;
  { REQUIRE(bench.open()->put(key_number(1), entry_with(kClaims)) == claims::Stored::kStored); }
  const std::string path = bench.options.directory + "/identity";
  const std::string identity = read_file(path);
  const std::string data = read_file(bench.data_path());
  REQUIRE(identity.size() > 80);
  for (std::size_t i = 0; i <= identity.size(); ++i) {
    std::string changed = identity;
    if (i < identity.size()) changed[i] = static_cast<char>(changed[i] ^ 1);
    if (i == identity.size()) changed.pop_back();
    write_file(path, changed);
    write_file(bench.data_path(), data);
    auto cache = bench.open();
    CHECK(cache->entries() == 0);
  }
  std::filesystem::remove(path);
  write_file(bench.data_path(), data);
  CHECK(bench.open()->entries() == 0);
  write_file(path, identity);
  write_file(bench.data_path(), data);
  CHECK(bench.open()->entries() == 1);  // so the identity made the difference
}

TEST_CASE("a cache of another version is discarded, and the log names both versions") {
  CacheBench bench;
  { REQUIRE(bench.open()->put(key_number(1), entry_with(kClaims)) == claims::Stored::kStored); }
  const std::string path = bench.options.directory + "/identity";
  std::string identity = read_file(path);
  const std::size_t version = identity.find('\n') + 1;
  REQUIRE(identity[version] == 2);
  identity[version] = 9;
  write_file(path, identity);
  CHECK(bench.open()->entries() == 0);
  CHECK(bench.log.has("version 9, but this claimsd needs 2"));
}

TEST_CASE("each cache has its own keys, even with the same host key and boot") {
  CacheBench one;
  CacheBench other;
  CHECK(one.open()->token_key_key().view() != other.open()->token_key_key().view());
}

TEST_CASE("a value with any byte changed is a miss, erased and counted") {
  CacheBench bench;
  { REQUIRE(bench.open()->put(key_number(1), entry_with(kClaims)) == claims::Stored::kStored); }
  const std::string identity = read_file(bench.options.directory + "/identity");
  const std::string data = read_file(bench.data_path());
  const std::string value = RawData::open(bench).get(key_number(1));
  REQUIRE(value.size() > 60);
  for (std::size_t i = 0; i < value.size(); ++i) {
    write_file(bench.options.directory + "/identity", identity);
    write_file(bench.data_path(), data);
    std::string changed = value;
    changed[i] = static_cast<char>(changed[i] ^ 0x10);
    RawData::open(bench).put(key_number(1), changed);
    auto cache = bench.open();
    CHECK_FALSE(cache->find(key_number(1)));
    CHECK(cache->entries() == 0);
    // The first four bytes are the format; if they are wrong the whole file is discarded.
    CHECK(cache->counters().tampered == (i < 4 ? 0 : 1));
  }
}

TEST_CASE("a value stored under another key is a miss") {
  CacheBench bench;
  {
    auto cache = bench.open();
    REQUIRE(cache->put(key_number(1), entry_with("of one user")) == claims::Stored::kStored);
    REQUIRE(cache->put(key_number(2), entry_with("of another!")) == claims::Stored::kStored);
  }
  {
    RawData raw = RawData::open(bench);
    const std::string one = raw.get(key_number(1));
    raw.put(key_number(2), one);
  }
  auto cache = bench.open();
  CHECK_FALSE(cache->find(key_number(2)));
  CHECK(keeps(*cache, key_number(1), "of one user"));
}

TEST_CASE("tampering is logged once a minute at most") {
  CacheBench bench;
  {
    auto cache = bench.open();
    for (std::uint64_t i = 0; i < 30; ++i) {
      REQUIRE(cache->put(key_number(i), entry_with(kClaims)) == claims::Stored::kStored);
    }
  }
  {
    RawData raw = RawData::open(bench);
    for (std::uint64_t i = 0; i < 30; ++i) {
      std::string value = raw.get(key_number(i));
      value.back() = static_cast<char>(value.back() ^ 1);
      raw.put(key_number(i), value);
    }
  }
  auto cache = bench.open();
  for (std::uint64_t i = 0; i < 20; ++i) CHECK_FALSE(cache->find(key_number(i)));
  CHECK(cache->counters().tampered == 20);
  CHECK(bench.log.count("cache_tampered") == 1);
  bench.clock.boot += std::chrono::minutes(1);
  for (std::uint64_t i = 20; i < 30; ++i) CHECK_FALSE(cache->find(key_number(i)));
  CHECK(bench.log.count("cache_tampered") == 2);
  CHECK(cache->entries() == 0);
}

TEST_CASE("no claim is readable in the files or the log") {
  CacheBench bench;
  const std::string large = std::string(5000, '-') + "canary@example.org";
  {
    auto cache = bench.open();
    for (std::uint64_t i = 0; i < 200; ++i) {
      REQUIRE(cache->put(key_number(i), entry_with(i % 2 == 0 ? kClaims : large)) ==
              claims::Stored::kStored);
      if (i % 3 == 0) CHECK(cache->find(key_number(i)));
      if (i % 5 == 0) CHECK(cache->erase(key_number(i)));
    }
  }
  std::size_t scanned = 0;
  for (const auto& file : std::filesystem::directory_iterator(bench.options.directory)) {
    const std::string bytes = read_file(file.path());
    scanned += bytes.size();
    for (const char* canary : {"canary", "example.org", "--------"}) {
      CHECK(bytes.find(canary) == std::string::npos);
    }
    CHECK(bytes.find(bench.host_key) == std::string::npos);
  }
  CHECK(scanned > 500'000);
  CHECK_FALSE(bench.log.has("canary"));
}

TEST_CASE("a second daemon on the same directory is rejected with a clear message") {
  CacheBench bench;
  auto first = bench.open();
  const auto second = bench.try_open();
  REQUIRE_FALSE(second);
  CHECK_THAT(second.error().message,
             ContainsSubstring(bench.options.directory) && ContainsSubstring("another daemon"));
  REQUIRE(first->put(key_number(1), entry_with(kClaims)) == claims::Stored::kStored);
  first.reset();
  CHECK(keeps(*bench.open(), key_number(1), kClaims));  // the data is unaffected
}

TEST_CASE("everything in the directory is private to the daemon") {
  CacheBench bench;
  const mode_t before = umask(0);
  auto cache = bench.open();
  umask(before);
  CHECK(mode_of(bench.options.directory) == 0700);
  std::size_t files = 0;
  for (const auto& file : std::filesystem::directory_iterator(bench.options.directory)) {
    CHECK((mode_of(file.path()) & 077) == 0);
    ++files;
  }
  CHECK(files == 3);
}

TEST_CASE("a directory open to others, or a link to one, is rejected") {
  CacheBench bench;
  REQUIRE(mkdir(bench.options.directory.c_str(), 0755) == 0);
  chmod(bench.options.directory.c_str(), 0755);
  auto opened = bench.try_open();
  REQUIRE_FALSE(opened);
  CHECK_THAT(opened.error().message, ContainsSubstring("chmod 0700 " + bench.options.directory));
  chmod(bench.options.directory.c_str(), 0700);
  REQUIRE(bench.try_open());
  const std::string link = bench.dir / "link";
  std::filesystem::create_directory_symlink(bench.options.directory, link);
  bench.options.directory = link;
  opened = bench.try_open();
  REQUIRE_FALSE(opened);
  CHECK_THAT(opened.error().message, ContainsSubstring("symbolic link"));
}

TEST_CASE("scan returns all entries in pages, each once, in key order") {
  CacheBench bench;
  const auto cache = bench.open();
  std::map<claims::TokenKey, std::string> kept;
  for (std::uint64_t number = 0; number < 25; ++number) {
    const std::string claims = "claims-" + std::to_string(number);
    kept[key_number(number)] = claims;
    REQUIRE(cache->put(key_number(number), entry_with(claims)) == claims::Stored::kStored);
  }
  std::vector<claims::TokenKey> seen;
  std::optional<claims::TokenKey> next;
  std::size_t pages = 0;
  do {
    std::size_t on_page = 0;
    next = cache->scan(next, 10, [&](const claims::TokenKey& key, const claims::Entry& entry) {
      CHECK(entry.claims == kept.at(key));
      seen.push_back(key);
      ++on_page;
    });
    CHECK(on_page <= 10);
    ++pages;
    // Erasing the page's last entry does not disturb the next page.
    if (next) CHECK(cache->erase(*next));
  } while (next);
  CHECK(pages == 3);
  CHECK(seen.size() == 25);
  CHECK(std::is_sorted(seen.begin(), seen.end()));
}

// The claims cache with full disks, damaged files and killed daemons.
#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include <deque>
#include <random>

#include "tests/store/store_fixture.h"
#include "tests/support/catch.h"
#include "tests/support/skip.h"

using namespace claimsd;
using namespace claimsd::store;
using namespace claimsd::store::testing;

namespace {

const std::string kClaims(300, 'c');

// Adds entries until one is rejected; returns the number stored.
std::uint64_t fill(LmdbClaimsCache& cache, std::uint64_t first, claims::Stored& last) {
  for (std::uint64_t i = first;; ++i) {
    last = cache.put(key_number(i), entry_with(kClaims));
    if (last != claims::Stored::kStored) return i - first;
  }
}

// Runs `work` in a child process and returns its result, or -1 if it crashed. The child does not
// use Catch2's assertions.
template <class Work>
int in_child(Work&& work) {
  const pid_t child = fork();
  if (child == 0) {
    for (const int fatal : {SIGSEGV, SIGBUS, SIGABRT, SIGFPE, SIGILL}) std::signal(fatal, SIG_DFL);
    (void)!freopen("/dev/null", "w", stderr);  // hides sanitizer output of an expected crash
    _exit(work());
  }
  int status = 0;
  waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

// Empties every branch page (lmdb's mdb.c, "MDB_page": u64 number, u16, u16 flags, u16 lower),
// which makes LMDB abort.
std::string without_branches(std::string data) {
  constexpr std::size_t kPage = 4096;
  for (std::size_t at = 2 * kPage; at + kPage <= data.size(); at += kPage) {
    if (data[at + 10] == 1 && data[at + 11] == 0)
      data.replace(at + 12, 2, std::string("\x10\0", 2));
  }
  return data;
}

}  // namespace

TEST_CASE("a full map rejects new entries, keeps old ones and accepts new ones after erasing") {
  CacheBench bench;
  bench.options.map_size = std::size_t{512} << 10;
  auto cache = bench.open();
  claims::Stored last{};
  const std::uint64_t taken = fill(*cache, 0, last);
  CHECK(last == claims::Stored::kFull);
  REQUIRE(taken > 100);
  for (std::uint64_t i = 0; i < taken; ++i) CHECK(cache->find(key_number(i)));
  CHECK_FALSE(cache->find(key_number(taken)));  // neither in the file nor in memory
  CHECK(cache->entries() == taken);
  for (std::uint64_t i = 0; i < taken; ++i) CHECK(cache->erase(key_number(i)));
  CHECK(cache->entries() == 0);
  CHECK(fill(*cache, 0, last) == taken);
  CHECK(cache->counters().dropped == 0);
}

TEST_CASE("a cache that stays full keeps working") {
  CacheBench bench;
  bench.options.map_size = std::size_t{512} << 10;
  auto cache = bench.open();
  std::deque<std::uint64_t> kept;
  std::mt19937_64 dice(7);
  std::size_t refused = 0;
  for (std::uint64_t i = 0; i < 20'000; ++i) {
    const std::string claims(i % 50 == 0 ? 6'000 : dice() % 800, 'c');
    while (cache->put(key_number(i), entry_with(claims)) != claims::Stored::kStored) {
      ++refused;
      REQUIRE_FALSE(kept.empty());
      REQUIRE(cache->erase(key_number(kept.front())));
      kept.pop_front();
    }
    kept.push_back(i);
  }
  CHECK(refused > 10'000);
  CHECK(kept.size() > 100);
  CHECK(cache->entries() == kept.size());
  CHECK(cache->counters().dropped == 0);
  CHECK(cache->counters().failed == 0);
  for (const std::uint64_t i : kept) CHECK(cache->find(key_number(i)));
  CHECK(std::filesystem::file_size(bench.data_path()) <= (std::size_t{512 + 1024} << 10));
}

TEST_CASE("a full disk makes the cache full, and erasing frees space") {
  CacheBench bench;
  auto cache = bench.open();
  for (std::uint64_t i = 0; i < 300; ++i) {
    REQUIRE(cache->put(key_number(i), entry_with(kClaims)) == claims::Stored::kStored);
  }
  const FullDisk disk(std::filesystem::file_size(bench.data_path()));
  claims::Stored last{};
  std::uint64_t next = 300 + fill(*cache, 300, last);
  CHECK(last == claims::Stored::kFull);
  CHECK(cache->counters().disk_full > 0);
  CHECK(cache->counters().disk_full_at);
  for (std::uint64_t i = 0; i < next; ++i) CHECK(cache->find(key_number(i)));
  for (std::uint64_t i = 0; i < next; ++i) CHECK(cache->erase(key_number(i)));
  CHECK(cache->put(key_number(next), entry_with(kClaims)) == claims::Stored::kStored);
  CHECK(cache->find(key_number(next)));
  CHECK(cache->counters().dropped == 0);
}

TEST_CASE("an entry that cannot be erased causes all entries to be discarded") {
  CacheBench bench;
  auto cache = bench.open();
  for (std::uint64_t i = 0; i < 300; ++i) {
    REQUIRE(cache->put(key_number(i), entry_with(kClaims)) == claims::Stored::kStored);
  }
  {
    const FullDisk disk(0);
    CHECK(cache->erase(key_number(7)));
    // Immediately, because the process may be killed next.
    CHECK_FALSE(std::filesystem::exists(bench.options.directory + "/identity"));
    CHECK_FALSE(std::filesystem::exists(bench.data_path()));
    CHECK_FALSE(cache->find(key_number(7)));
    CHECK_FALSE(cache->find(key_number(8)));
    CHECK(cache->entries() == 0);
    CHECK(cache->counters().dropped == 1);
    CHECK(cache->put(key_number(7), entry_with(kClaims)) == claims::Stored::kFailed);
    bench.clock.boot += seconds(2);
    CHECK(cache->put(key_number(7), entry_with(kClaims)) ==
          claims::Stored::kFailed);  // after a retry
    CHECK(cache->erase(key_number(7)));
  }

  SECTION("it restarts empty after a pause, with the same keys") {
    CHECK_FALSE(cache->find(key_number(8)));
    CHECK(cache->put(key_number(8), entry_with(kClaims)) == claims::Stored::kFailed);
    bench.clock.boot += seconds(2);
    CHECK(cache->put(key_number(8), entry_with(kClaims)) == claims::Stored::kStored);
    CHECK_FALSE(cache->find(key_number(9)));
    const std::string before(cache->token_key_key().view());
    cache.reset();
    cache = bench.open();
    CHECK(cache->find(key_number(8)));
    CHECK_FALSE(cache->find(key_number(7)));
    CHECK(cache->token_key_key().view() == before);
  }
  SECTION("a restart does not restore anything") {
    cache.reset();
    CHECK(bench.open()->entries() == 0);
  }
}

TEST_CASE("the cache survives a file system that is permanently full") {
  CacheBench bench;
  enum { kFine, kNoMount, kNotFull, kLost, kEraseFailed, kStillFull };
  REQUIRE(mkdir(bench.options.directory.c_str(), 0700) == 0);
  const int report = in_child([&] {
    if (unshare(CLONE_NEWNS) != 0 || mount("", "/", "", MS_REC | MS_PRIVATE, nullptr) != 0 ||
        mount("tmpfs", bench.options.directory.c_str(), "tmpfs", 0, "size=1m,mode=0700") != 0) {
      return int{kNoMount};
    }
    auto cache = bench.open();
    claims::Stored last{};
    const std::uint64_t taken = fill(*cache, 0, last);
    if (last != claims::Stored::kFull) return int{kNotFull};
    for (std::uint64_t i = 0; i < taken; ++i) {
      if (!cache->find(key_number(i))) return int{kLost};
    }
    for (std::uint64_t i = 0; i < taken; ++i) {
      if (!cache->erase(key_number(i)) || cache->find(key_number(i))) return int{kEraseFailed};
    }
    bench.clock.boot += seconds(2);
    return int{cache->put(key_number(0), entry_with(kClaims)) == claims::Stored::kStored
                   ? kFine
                   : kStillFull};
  });
  if (report == kNoMount && !claimsd::test::has_root()) return;
  CHECK(report == kFine);
}

TEST_CASE("a daemon killed while writing loses no acknowledged entry") {
  CacheBench bench;
  std::uint64_t acknowledged = 0;
  for (int round = 0; round < 20; ++round) {
    int acks[2];
    REQUIRE(pipe(acks) == 0);
    const pid_t child = fork();
    if (child == 0) {
      auto cache = bench.open();
      for (std::uint64_t i = acknowledged;; ++i) {
        const bool stored =
            cache->put(key_number(i), entry_with(kClaims)) == claims::Stored::kStored;
        if (!stored || write(acks[1], &i, sizeof i) != sizeof i) _exit(1);
      }
    }
    close(acks[1]);
    std::uint64_t last = 0;
    const std::uint64_t enough = acknowledged + 20 + 7 * static_cast<std::uint64_t>(round);
    while (last < enough && read(acks[0], &last, sizeof last) == sizeof last) {
    }
    REQUIRE(last >= enough);
    kill(child, SIGKILL);
    waitpid(child, nullptr, 0);
    while (read(acks[0], &last, sizeof last) == sizeof last) {
    }
    close(acks[0]);
    acknowledged = last + 1;
    auto cache = bench.open();
    CHECK(cache->entries() >= acknowledged);
    std::uint64_t missing = 0;
    for (std::uint64_t i = 0; i < acknowledged; ++i) missing += cache->find(key_number(i)) ? 0 : 1;
    CHECK(missing == 0);
  }
}

TEST_CASE("an invalid data file starts an empty cache") {
  CacheBench bench;
  { REQUIRE(bench.open()->put(key_number(1), entry_with(kClaims)) == claims::Stored::kStored); }
  SECTION("other bytes") {
    write_file(bench.data_path(), std::string(100'000, 'x'));
  }
  SECTION("zeros") {
    write_file(bench.data_path(), std::string(100'000, '\0'));
  }
  SECTION("empty file") {
    write_file(bench.data_path(), "");
  }
  SECTION("truncated") {
    std::filesystem::resize_file(bench.data_path(), 5000);
  }
  SECTION("two pages") {
    std::filesystem::resize_file(bench.data_path(), 8192);
  }
  SECTION("missing file") {
    std::filesystem::remove(bench.data_path());
  }
  auto cache = bench.open();
  CHECK_FALSE(cache->find(key_number(1)));
  CHECK(cache->entries() == 0);
  CHECK(cache->put(key_number(1), entry_with(kClaims)) == claims::Stored::kStored);
  CHECK(cache->find(key_number(1)));
}

TEST_CASE("a map size too small for the data starts an empty cache") {
  CacheBench bench;
  {
    auto cache = bench.open();
    for (std::uint64_t i = 0; i < 10'000; ++i) {
      REQUIRE(cache->put(key_number(i), entry_with(kClaims)) == claims::Stored::kStored);
    }
  }
  bench.options.map_size = std::size_t{512} << 10;
  auto cache = bench.open();
  CHECK(cache->entries() == 0);
  CHECK(cache->put(key_number(1), entry_with(kClaims)) == claims::Stored::kStored);
}

TEST_CASE("damaged data never crashes the daemon, and it keeps caching") {
  CacheBench bench;
  {
    auto cache = bench.open();
    for (std::uint64_t i = 0; i < 200; ++i) {
      REQUIRE(cache->put(key_number(i), entry_with(kClaims)) == claims::Stored::kStored);
    }
  }
  const std::string identity = read_file(bench.options.directory + "/identity");
  const std::string data = read_file(bench.data_path());
  std::mt19937_64 dice(11);
  int discarded = 0;
  for (int round = 0; round < 100; ++round) {
    std::string damaged = data;
    // Random bytes in some rounds, in the two headers in others, else one bit.
    if (round % 3 < 2) {
      const std::size_t reach = round % 3 == 0 ? damaged.size() : 200;
      for (int i = 0; i < 40; ++i) damaged[dice() % reach] = static_cast<char>(dice());
    } else {
      damaged[dice() % damaged.size()] ^= static_cast<char>(1 << dice() % 8);
    }
    if (round == 0) damaged = without_branches(data);
    write_file(bench.options.directory + "/identity", identity);
    write_file(bench.data_path(), damaged);
    enum { kEmpty, kKept, kNotStored };
    const int result = in_child([&] {
      auto cache = bench.open();
      const bool kept = cache->entries() > 0;
      for (std::uint64_t i = 0; i < 300; ++i) {
        cache->erase(key_number(i));
        if (cache->put(key_number(i), entry_with(kClaims)) != claims::Stored::kStored)
          return int{kNotStored};
      }
      return kept ? int{kKept} : int{kEmpty};
    });
    INFO("round " << round);
    CHECK((result == kEmpty || result == kKept));
    discarded += result == kEmpty ? 1 : 0;
  }
  CHECK(discarded > 25);
}

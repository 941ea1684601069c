// The page check of LMDB files: sound files pass, and no file that passes crashes LMDB.
#include "daemon/store/lmdb_pages.h"

#include <sys/wait.h>
#include <unistd.h>

#include <map>
#include <random>

#include "daemon/store/lmdb.h"
#include "tests/store/store_fixture.h"
#include "tests/support/catch.h"

namespace claimsd::store::testing {
namespace {

using Dice = std::mt19937_64;

LmdbEnvironment::Options options_of(const std::string& path) {
  return {.path = path,
          .map_size = std::size_t{64} << 20,
          .sync = LmdbEnvironment::Sync::kNone,
          .exclusive = true,
          .max_tables = 3};
}

// Inserts, replaces and erases; values of up to three overflow pages, keys of all lengths.
void change(LmdbEnvironment& environment, LmdbTable table, Dice& dice, int steps) {
  auto writer = environment.write();
  REQUIRE(writer);
  for (int i = 0; i < steps; ++i) {
    const std::string key = std::to_string(dice() % 2000) + std::string(dice() % 2 * 200, 'k');
    if (dice() % 3 == 0) {
      const auto erased = writer->erase(table, key);
      REQUIRE((erased || erased.error().missing()));
    } else {
      const std::size_t size = dice() % 20 == 0 ? dice() % 12'000 : dice() % 300;
      REQUIRE(writer->put(table, key, std::string(size, 'v')));
    }
  }
  REQUIRE(writer->commit());
}

// A small file with pages of every kind: branches, leaves, overflow pages, named tables, free ones.
std::string sample(const std::string& path) {
  Dice dice(5);
  auto environment = *LmdbEnvironment::open(options_of(path));
  for (const char* const name : {"one", "two", ""}) {
    const LmdbTable table = *environment.table(name);
    for (int i = 0; i < 4; ++i) change(environment, table, dice, name[0] == '\0' ? 5 : 300);
  }
  return read_file(path);
}

// Opens the file, reads all of it and rewrites every entry, in a child process. False if it crashes.
bool survives_lmdb(const std::string& path) {
  const pid_t child = fork();
  if (child == 0) {
    for (const int fatal : {SIGSEGV, SIGBUS, SIGABRT, SIGFPE, SIGILL}) std::signal(fatal, SIG_DFL);
    (void)!freopen("/dev/null", "w", stderr);
    alarm(20);
    auto environment = LmdbEnvironment::open(options_of(path));
    for (const char* const name : {"one", "two", ""}) {
      if (!environment) break;
      const auto table = environment->table(name);
      if (!table) continue;
      std::vector<std::pair<std::string, std::string>> found;
      if (auto reader = environment->read()) {
        auto cursor = reader->cursor(*table);
        if (!cursor) continue;
        for (auto at = cursor->first(); at && found.size() < 10'000; at = cursor->next())
          found.emplace_back(at->key, at->value);
      }
      auto writer = environment->write();
      for (const auto& [key, value] : found) {
        if (!writer || !writer->erase(*table, key) || !writer->put(*table, key + "+", value)) break;
      }
      if (writer) static_cast<void>(writer->commit());
    }
    _exit(0);
  }
  int status = 0;
  waitpid(child, &status, 0);
  return WIFEXITED(status);
}

}  // namespace

TEST_CASE("a sound LMDB file passes the page check after every transaction") {
  const ScratchDirectory directory;
  const std::string path = directory / "data.mdb";
  CHECK(check_lmdb_pages(""));
  Dice dice(1);
  auto environment = *LmdbEnvironment::open(options_of(path));
  CHECK(check_lmdb_pages(read_file(path)));
  const LmdbTable named = *environment.table("named");
  const LmdbTable main = *environment.table();
  for (int round = 0; round < 80; ++round) {
    change(environment, named, dice, 40);
    if (round % 10 == 0) change(environment, main, dice, 2);
    const Status sound = check_lmdb_pages(read_file(path));
    INFO("round " << round << ": " << (sound ? "" : sound.error().message));
    REQUIRE(sound);
  }
}

TEST_CASE("no damaged LMDB file that passes the page check crashes LMDB") {
  const ScratchDirectory directory;
  const std::string path = directory / "data.mdb";
  const std::string data = sample(path);
  Dice dice(9);
  int crashes = 0;
  for (int round = 0; round < 200; ++round) {
    std::string damaged = data;
    const std::size_t page = dice() % (data.size() / 4096) * 4096;
    // A bit anywhere, in the front of a page, or in a header.
    const std::size_t reach = round % 3 == 0 ? 4096 : round % 3 == 1 ? 64 : 160;
    const std::size_t at =
        round % 3 == 2 ? dice() % 2 * 4096 + dice() % reach : page + dice() % reach;
    damaged[at] = static_cast<char>(damaged[at] ^ (1 << dice() % 8));
    write_file(path, damaged);
    const bool passes = check_lmdb_pages(damaged).has_value();
    const bool survives = survives_lmdb(path);
    crashes += survives ? 0 : 1;
    INFO("round " << round << ", offset " << at << ": " << int{damaged[at]});
    CHECK((survives || !passes));
  }
  CHECK(crashes > 5);  // otherwise the test proved nothing
}

TEST_CASE("a flipped bit in either header of an LMDB file is damage") {
  const ScratchDirectory directory;
  const std::string data = sample(directory / "data.mdb");
  REQUIRE(check_lmdb_pages(data));
  for (const std::size_t page : {0, 1}) {
    for (const std::size_t field :
         {0, 10, 16, 20, 144}) {  // number, flags, magic, version, transaction
      std::string damaged = data;
      damaged[page * 4096 + field] = static_cast<char>(damaged[page * 4096 + field] ^ 4);
      INFO("page " << page << ", offset " << field);
      CHECK_FALSE(check_lmdb_pages(damaged));
    }
  }
  CHECK_FALSE(check_lmdb_pages(data.substr(0, 5000)));
  CHECK_FALSE(check_lmdb_pages(data.substr(0, 8192)));
  CHECK_FALSE(check_lmdb_pages(std::string(100'000, '\0')));
}

}  // namespace claimsd::store::testing

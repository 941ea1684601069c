#include "daemon/store/lmdb.h"

#include "tests/store/store_fixture.h"
#include "tests/support/catch.h"

using namespace claimsd;
using namespace claimsd::store;
using namespace claimsd::store::testing;

namespace {

struct LmdbBench {
  ScratchDirectory dir;
  LmdbEnvironment::Options options;

  LmdbBench() {
    options.path = dir / "data.mdb";
    options.map_size = std::size_t{1} << 20;
  }
  LmdbEnvironment open() {
    auto opened = LmdbEnvironment::open(options);
    if (!opened) FAIL(opened.error().message);
    return std::move(*opened);
  }
};

void put_and_commit(LmdbEnvironment& environment, LmdbTable table, std::string_view key,
                    std::string_view value) {
  auto writer = environment.write();
  REQUIRE(writer);
  REQUIRE(writer->put(table, key, value));
  REQUIRE(writer->commit());
}

bool has(LmdbEnvironment& environment, LmdbTable table, std::string_view key) {
  auto reader = environment.read();
  REQUIRE(reader);
  return reader->get(table, key).has_value();
}

}  // namespace

TEST_CASE("committed data survives reopening, and uncommitted data does not") {
  LmdbBench bench;
  {
    LmdbEnvironment environment = bench.open();
    const LmdbTable table = *environment.table();
    put_and_commit(environment, table, "kept", "value");
    auto writer = environment.write();
    REQUIRE(writer->put(table, "left", "value"));
  }
  LmdbEnvironment environment = bench.open();
  const LmdbTable table = *environment.table();
  CHECK(has(environment, table, "kept"));
  CHECK_FALSE(has(environment, table, "left"));
}

TEST_CASE("a reader sees its snapshot until it is renewed") {
  LmdbBench bench;
  LmdbEnvironment environment = bench.open();
  const LmdbTable table = *environment.table();
  auto reader = environment.read();
  REQUIRE(reader);
  put_and_commit(environment, table, "new", "value");
  CHECK(reader->get(table, "new").error().missing());
  reader->reset();
  REQUIRE(reader->renew());
  CHECK(reader->get(table, "new").value() == "value");
  CHECK(reader->stats(table)->entries == 1);
}

TEST_CASE("a transaction ends with its first failed operation") {
  LmdbBench bench;
  LmdbEnvironment environment = bench.open();
  const LmdbTable table = *environment.table();
  auto writer = environment.write();
  REQUIRE(writer);
  REQUIRE(writer->put(table, "half", "value"));
  CHECK(writer->erase(table, "absent").error().missing());  // a result, not a failure
  REQUIRE(writer->put(table, "half", "value"));
  CHECK_FALSE(writer->put(table, std::string(4000, 'k'), "a key that is too long"));
  CHECK_FALSE(writer->put(table, "more", "value"));
  CHECK_FALSE(writer->commit());
  CHECK_FALSE(has(environment, table, "half"));
  CHECK_FALSE(environment.poisoned());
}

TEST_CASE("a cursor visits the keys in order, both ways") {
  LmdbBench bench;
  LmdbEnvironment environment = bench.open();
  const LmdbTable table = *environment.table();
  for (const char* key : {"b", "a", "d"}) put_and_commit(environment, table, key, key);
  auto reader = environment.read();
  auto cursor = reader->cursor(table);
  REQUIRE(cursor);
  CHECK(cursor->first()->key == "a");
  CHECK(cursor->next()->value == "b");
  CHECK(cursor->next()->key == "d");
  CHECK(cursor->next().error().missing());
  CHECK(cursor->last()->key == "d");
  CHECK(cursor->previous()->key == "b");
  CHECK(cursor->seek("c")->key == "d");
  CHECK(cursor->seek("e").error().missing());
}

TEST_CASE("appending rejects keys that do not sort last") {
  LmdbBench bench;
  LmdbEnvironment environment = bench.open();
  const LmdbTable table = *environment.table();
  auto writer = environment.write();
  REQUIRE(writer->put(table, "1", "", LmdbPut::kAppend));
  REQUIRE(writer->put(table, "2", "", LmdbPut::kAppend));
  CHECK(writer->put(table, "1", "", LmdbPut::kAppend).error().exists());
  writer = environment.write();
  REQUIRE(writer->put(table, "1", ""));
  CHECK(writer->put(table, "1", "", LmdbPut::kInsert).error().exists());
}

TEST_CASE("named tables are independent") {
  LmdbBench bench;
  bench.options.max_tables = 2;
  LmdbEnvironment environment = bench.open();
  const LmdbTable one = *environment.table("one");
  const LmdbTable two = *environment.table("two");
  put_and_commit(environment, one, "key", "value");
  CHECK(has(environment, one, "key"));
  CHECK_FALSE(has(environment, two, "key"));
}

TEST_CASE("a full map is reported as such and can still be read") {
  LmdbBench bench;
  LmdbEnvironment environment = bench.open();
  const LmdbTable table = *environment.table();
  put_and_commit(environment, table, "first", "value");
  auto writer = environment.write();
  CHECK(writer->put(table, "large", std::string(2 << 20, 'x')).error().map_full());
  CHECK(has(environment, table, "first"));
  put_and_commit(environment, table, "next", "value");
}

TEST_CASE("a failed durable commit poisons the environment") {
  LmdbBench bench;
  {
    LmdbEnvironment environment = bench.open();
    const LmdbTable table = *environment.table();
    put_and_commit(environment, table, "sound", "value");
    {
      const FullDisk disk(std::filesystem::file_size(bench.options.path));
      auto writer = environment.write();
      REQUIRE(writer->put(table, "lost", std::string(100'000, 'x')));
      const auto committed = writer->commit();
      REQUIRE_FALSE(committed);
      CHECK(committed.error().disk_full());
    }
    CHECK(environment.poisoned());
    CHECK(environment.write().error().poisoned());
    CHECK(environment.read().error().poisoned());
  }
  LmdbEnvironment environment = bench.open();
  const LmdbTable table = *environment.table();
  CHECK(has(environment, table, "sound"));
  CHECK_FALSE(has(environment, table, "lost"));
}

TEST_CASE("a failed commit without sync leaves the environment usable") {
  LmdbBench bench;
  bench.options.sync = LmdbEnvironment::Sync::kNone;
  LmdbEnvironment environment = bench.open();
  const LmdbTable table = *environment.table();
  put_and_commit(environment, table, "sound", "value");
  {
    const FullDisk disk(std::filesystem::file_size(bench.options.path));
    auto writer = environment.write();
    REQUIRE(writer->put(table, "lost", std::string(100'000, 'x')));
    CHECK(writer->commit().error().disk_full());
  }
  CHECK_FALSE(environment.poisoned());
  CHECK(has(environment, table, "sound"));
  CHECK_FALSE(has(environment, table, "lost"));
  put_and_commit(environment, table, "next", "value");
}

TEST_CASE("a truncated file is an error or is extended, never a crash") {
  LmdbBench bench;
  {
    LmdbEnvironment environment = bench.open();
    const LmdbTable table = *environment.table();
    for (int i = 0; i < 50; ++i) {
      put_and_commit(environment, table, std::to_string(i), std::string(1000, 'x'));
    }
  }
  for (std::uintmax_t size = std::filesystem::file_size(bench.options.path) - 4096; size > 0;
       size -= std::min<std::uintmax_t>(size, 4096)) {
    std::filesystem::resize_file(bench.options.path, size);
    auto environment = LmdbEnvironment::open(bench.options);
    if (!environment) continue;
    const auto table = environment->table();
    const auto reader = environment->read();
    if (!table || !reader) continue;
    for (int i = 0; i < 50; ++i) (void)reader->get(*table, std::to_string(i));
  }
  SUCCEED("nothing was touched beyond the end of the file");
}

TEST_CASE("a file larger than the map size is rejected with advice") {
  LmdbBench bench;
  {
    LmdbEnvironment environment = bench.open();
    const LmdbTable table = *environment.table();
    put_and_commit(environment, table, "large", std::string(500'000, 'x'));
  }
  bench.options.map_size = 65'536;
  const auto opened = LmdbEnvironment::open(bench.options);
  REQUIRE_FALSE(opened);
  CHECK_THAT(opened.error().message,
             ContainsSubstring(bench.options.path) && ContainsSubstring("configure more"));
}

TEST_CASE("a file that is not LMDB's is rejected with its name") {
  LmdbBench bench;
  write_file(bench.options.path, std::string(100'000, 'x'));
  const auto opened = LmdbEnvironment::open(bench.options);
  REQUIRE_FALSE(opened);
  CHECK_THAT(opened.error().message, ContainsSubstring(bench.options.path));
}

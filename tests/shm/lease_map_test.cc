// The map as the daemon runs it: with a loop, with a marker file, and switched off.
#include "daemon/shm/lease_map.h"

#include <sys/mman.h>

#include <filesystem>
#include <fstream>

#include "tests/shm/publisher_fixture.h"
#include "tests/support/catch.h"
#include "tests/support/fake_world.h"
#include "tests/support/loop_runner.h"
#include "tests/support/scratch_directory.h"

namespace claimsd::shm {
namespace {

using test::new_loop;
using test::run_until;

class RecordingLog final : public Log {
 public:
  void write(LogLevel, std::string_view event, std::string_view sentence, LogFields) override {
    lines.push_back(std::string(event) + " " + std::string(sentence));
  }
  std::vector<std::string> lines;
};

struct Fixture {
  std::unique_ptr<LeaseMap> create(bool on = true, std::uint64_t slots = 64) {
    return LeaseMap::create({.on = on,
                             .slots = slots,
                             .directory = directory.path(),
                             .boot_id = "00112233-4455-6677-8899-aabbccddeeff"},
                            *loop, clock, random, log);
  }
  bool marked() const { return std::filesystem::exists(directory / "map-in-use"); }
  void crash_before() { std::ofstream(directory / "map-in-use"); }

  std::unique_ptr<loop::Loop> loop = new_loop();
  testing::ScratchDirectory directory;
  testing::FakeClock clock;
  testing::SeededRandom random{1};
  RecordingLog log;
};

// The map as a worker maps it.
struct View {
  explicit View(int descriptor)
      : at(mmap(nullptr, proto::map_size(64), PROT_READ, MAP_SHARED, descriptor, 0)) {
    REQUIRE(at != MAP_FAILED);
  }
  ~View() { munmap(at, proto::map_size(64)); }
  View(const View&) = delete;
  View& operator=(const View&) = delete;
  const proto::MapHeader& header() const { return *static_cast<const proto::MapHeader*>(at); }
  std::uint64_t heartbeat() const { return header().heartbeat.load(); }

  void* at;
};

std::uint64_t ns_of(BootTime time) {
  return static_cast<std::uint64_t>(time.time_since_epoch().count());
}

TEST_CASE("the heartbeat is written by the loop, and is 0 after stop or destruction") {
  Fixture fixture;
  auto path = fixture.create();
  const View view(path->descriptor());
  CHECK(view.heartbeat() == ns_of(fixture.clock.now().boot));
  CHECK(view.header().boot_id[15] == 0xff);
  fixture.clock.advance(seconds(1));
  CHECK(view.heartbeat() < ns_of(fixture.clock.now().boot));  // the loop has not run
  run_until(*fixture.loop, [&] { return view.heartbeat() == ns_of(fixture.clock.now().boot); });
  SECTION("stopped") {
    path->stop();
    CHECK(path->status().slots == 64);  // status still works
  }
  SECTION("destroyed") {
    path.reset();
  }
  CHECK(view.heartbeat() == 0);
  CHECK_FALSE(fixture.marked());
}

TEST_CASE("two maps have different ids") {
  Fixture fixture;
  const auto one = fixture.create();
  const auto two = fixture.create();
  CHECK(View(one->descriptor()).header().map_id != View(two->descriptor()).header().map_id);
}

TEST_CASE("a map in use is marked, and after a crash acknowledgments wait for the old map") {
  Fixture fixture;
  const BootTime start = fixture.clock.now().boot;
  SECTION("after a clean stop they do not wait") {
    const auto path = fixture.create();
    CHECK(path->acknowledgements_held_until() == BootTime::min());
    CHECK(fixture.marked());
    CHECK(fixture.log.lines.empty());
  }
  const bool on = GENERATE(true, false);
  fixture.crash_before();
  SECTION("after a crash they wait, whether this daemon has a map or not") {
    const auto path = fixture.create(on);
    CHECK(path->acknowledgements_held_until() == start + Duration(proto::kHeartbeatLimit));
    REQUIRE(fixture.log.lines.size() == 1);
    CHECK(fixture.log.lines[0].rfind("unclean_stop ", 0) == 0);
  }
  SECTION("a stop before the wait is over keeps the mark for the next daemon") {
    fixture.create(on)->stop();
    CHECK(fixture.marked());
    fixture.clock.advance(seconds(1));
    CHECK(fixture.create(on)->acknowledgements_held_until() ==
          start + seconds(1) + Duration(proto::kHeartbeatLimit));
  }
  SECTION("a stop after the wait is over removes the mark") {
    const auto path = fixture.create(on);
    fixture.clock.advance(Duration(proto::kHeartbeatLimit));
    path->stop();
    CHECK_FALSE(fixture.marked());
  }
}

TEST_CASE("when switched off there is no map and no mark, and nothing is published") {
  Fixture fixture;
  const auto path = fixture.create(false);
  CHECK(path->descriptor() == -1);
  CHECK_FALSE(fixture.marked());
  CHECK(path->status().slots == 0);
  path->publisher().withdraw_all();
  CHECK(path->status().epoch == 0);
  CHECK(fixture.log.lines.empty());
}

TEST_CASE("a map that cannot be created is a warning, and the daemon runs without it") {
  Fixture fixture;
  std::unique_ptr<LeaseMap> path;
  SECTION("the map itself") {
    path = fixture.create(true, 100);
  }
  SECTION("its mark") {
    std::filesystem::create_directory(fixture.directory / "map-in-use");
    path = fixture.create(true);
  }
  CHECK(path->descriptor() == -1);
  CHECK(path->status().slots == 0);
  path->publisher().withdraw_all();
  REQUIRE_FALSE(fixture.log.lines.empty());
  CHECK(fixture.log.lines.back().rfind("shared_memory_off ", 0) == 0);
}

TEST_CASE("replacing the map invalidates the old one") {
  Fixture fixture;
  const auto path = fixture.create();
  const View before(path->descriptor());
  claims::Publisher& publisher = path->publisher();
  const std::string token = testing::token_of(1);
  const std::string claims = testing::claims_of("user-123");
  const claims::Entry entry{.confirmed_at = fixture.clock.now().boot,
                            .fresh_until = fixture.clock.now().boot + seconds(60),
                            .expires_at = WallTime::max(),
                            .claims = claims};
  const claims::LeaseEnd end{.lease = fixture.clock.now().boot + seconds(5)};
  publisher.publish(0, token, claims::TokenKey{}, entry, end);
  REQUIRE(path->status().used == 1);

  path->replace();
  const View after(path->descriptor());
  CHECK(before.heartbeat() == 0);
  CHECK(after.heartbeat() != 0);
  CHECK(before.header().map_id != after.header().map_id);
  CHECK(path->status().used == 0);
  CHECK(publisher.published_until(claims::TokenKey{}) == BootTime::min());
  // The same publisher publishes into the new map, and its counters continue.
  publisher.publish(0, token, claims::TokenKey{}, entry, end);
  CHECK(path->status().used == 1);
  CHECK(path->status().counters.leases_published == 2);
  CHECK(fixture.marked());
  path->stop();
  CHECK(after.heartbeat() == 0);
  CHECK_FALSE(fixture.marked());
}

TEST_CASE("replacing does nothing if there is no map") {
  Fixture fixture;
  const auto path = fixture.create(false);
  path->replace();
  CHECK(path->descriptor() == -1);
}

}  // namespace
}  // namespace claimsd::shm

// How a map comes into a process: which are taken, which are refused, and what becomes of the old.
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>
#include <filesystem>

#include "tests/client/map_host.h"
#include "tests/client/stream_helpers.h"
#include "tests/support/catch.h"

namespace claimsd::testing {
namespace {

const std::string kToken = long_token();

std::string text_of_map(const MapHost& host) {
  return host.client.statistics().map_text;
}

// With a map that comes as `options` and `greeting` say: is it used?
bool is_used(const MapOptions& options, const Greeting& greeting = {}) {
  MapHost host({}, options, greeting);
  host.meet();
  const claimsd_statistics counted = host.client.statistics();
  CHECK(counted.map_in_use == (text_of_map(host) == "in use" ? 1 : 0));
  CHECK(host.client.query(kToken).valid());  // whatever came of it
  return counted.map_in_use == 1;
}

int memory_maps() {
  int found = 0;
  std::FILE* const maps = std::fopen("/proc/self/maps", "r");
  char line[512];
  while (std::fgets(line, sizeof line, maps) != nullptr) {
    // The client's are read-only; the test's own are writable, too.
    if (std::strstr(line, "memfd:test map") != nullptr && std::strstr(line, " r--s") != nullptr) {
      ++found;
    }
  }
  std::fclose(maps);
  return found;
}

// Of this process, to any map. Each MapWriter holds one.
int map_descriptors() {
  int found = 0;
  for (const auto& each : std::filesystem::directory_iterator("/proc/self/fd")) {
    std::error_code gone;
    if (std::filesystem::read_symlink(each, gone).string().starts_with("/memfd:test map")) ++found;
  }
  return found;
}

TEST_CASE("a map as a daemon makes it is used") {
  CHECK(is_used({}));
  CHECK(is_used({.slots = 4096}));
  CHECK(is_used({.seals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_FUTURE_WRITE}));
}

TEST_CASE("a map that can shrink, grow or be written by others is refused") {
  CHECK_FALSE(is_used({.seals = F_SEAL_GROW | F_SEAL_FUTURE_WRITE}));
  CHECK_FALSE(is_used({.seals = F_SEAL_SHRINK | F_SEAL_FUTURE_WRITE}));
  CHECK_FALSE(is_used({.seals = F_SEAL_SHRINK | F_SEAL_GROW}));
  CHECK_FALSE(is_used({.seals = 0}));
}

TEST_CASE("a map that is not as long as its header says is refused") {
  CHECK_FALSE(is_used({.extra = -4096}));
  CHECK_FALSE(is_used({.extra = 4096}));
  CHECK_FALSE(
      is_used({.extra = -static_cast<std::int64_t>(proto::map_size(proto::kMinSlots)) + 4096}));
}

TEST_CASE("a map of another layout is refused") {
  struct Case {
    std::size_t offset;
    std::uint64_t value;
  };
  const Case wrong = GENERATE(Case{offsetof(proto::MapHeader, magic), 1},
                              Case{offsetof(proto::MapHeader, version), 1 | 1024ull << 32},
                              Case{offsetof(proto::MapHeader, version), 2 | 1024ull << 32},
                              Case{offsetof(proto::MapHeader, version), 3 | 1032ull << 32},
                              Case{offsetof(proto::MapHeader, slot_count), 63},
                              Case{offsetof(proto::MapHeader, slot_count), 65},
                              Case{offsetof(proto::MapHeader, slot_count), 32},
                              Case{offsetof(proto::MapHeader, slot_count), 0},
                              Case{offsetof(proto::MapHeader, slot_count), 128},
                              Case{offsetof(proto::MapHeader, slot_count), 1ull << 63});
  MapHost host;
  std::memcpy(host.map->bytes() + wrong.offset, &wrong.value, sizeof wrong.value);
  host.meet();
  CHECK(host.client.statistics().map_in_use == 0);
  CHECK(text_of_map(host).find("layout") != std::string::npos);
}

TEST_CASE("a file that is no memory is refused, and a pipe is") {
  for (const char* const what : {"/etc/passwd", "/dev/zero"}) {
    const int file = open(what, O_RDONLY | O_CLOEXEC);
    CHECK_FALSE(is_used({}, {.fds = {file}, .pass_map = false}));
    close(file);
  }
  int pipe_ends[2];
  REQUIRE(pipe2(pipe_ends, O_CLOEXEC) == 0);
  CHECK_FALSE(is_used({}, {.fds = {pipe_ends[0]}, .pass_map = false}));
  close(pipe_ends[0]);
  close(pipe_ends[1]);
}

TEST_CASE("in a time namespace of its own a process uses no map") {
  CHECK_FALSE(is_used({}, {.clock_ahead = 2'000'000'000}));
  CHECK_FALSE(is_used({}, {.clock_ahead = -2'000'000'000}));
  CHECK(is_used({}, {.clock_ahead = -500'000'000}));
}

TEST_CASE("a daemon that grants no map, or whose descriptor got lost, is asked over the socket") {
  MapHost none({}, {}, {.features = 0});
  none.meet();
  CHECK(none.client.statistics().map_in_use == 0);
  CHECK(text_of_map(none).find("shared_memory") != std::string::npos);
  CHECK(none.ask(kToken) == Source::kCache);

  MapHost lost({}, {}, {.pass_map = false});
  lost.meet();
  CHECK(text_of_map(lost).find("descriptor") != std::string::npos);
  CHECK(lost.ask(kToken) == Source::kCache);
}

TEST_CASE("no descriptor that came with a greeting stays open, however many came") {
  for (std::size_t spare = 0; spare < 8; ++spare) {
    MapHost host;
    host.greeting.fds.assign(spare, host.map->fd());
    host.meet();
    CHECK(host.client.statistics().map_in_use == 1);
    Stream stream(host.client);
    REQUIRE(stream.send("a short one", 1));
    REQUIRE(receive_one(stream).answer.valid());
    CHECK(map_descriptors() == 1);  // the writer's
    CHECK(memory_maps() == 1);
    { const Stream closed = std::move(stream); }
    { const Client gone = std::move(host.client); }
    CHECK(memory_maps() == 0);
  }
}

TEST_CASE("a second connection brings the same map, which is not mapped again") {
  MapHost host;
  host.meet();
  host.publish(kToken);
  REQUIRE(host.ask(kToken) == Source::kShared);
  Stream stream(host.client);
  REQUIRE(stream.send("a short one", 1));
  REQUIRE(receive_one(stream).answer.valid());
  CHECK(host.client.statistics().maps == 1);
  CHECK(memory_maps() == 1);
  CHECK(host.ask(kToken) == Source::kLocal);
}

TEST_CASE("a restarted daemon's map takes the place of the old one, and the table's answers go") {
  MapHost host;
  host.meet();
  host.publish(kToken);
  REQUIRE(host.ask(kToken) == Source::kShared);
  REQUIRE(host.ask(kToken) == Source::kLocal);
  host.restart(std::make_unique<MapWriter>());
  host.meet();  // only a question over the socket finds out
  CHECK(host.client.statistics().maps == 2);
  CHECK(host.ask(kToken) == Source::kCache);
  host.publish(kToken);
  CHECK(host.ask(kToken) == Source::kShared);
  CHECK(host.ask(kToken) == Source::kLocal);
  CHECK(memory_maps() == 1);
}

// Two maps in which the very same words stand in the very same place, as two daemons with luck, or
// one that resets its counter, would write them: only the map tells them apart.
TEST_CASE("an answer of the old map is not believed though the new one shows the same sequence") {
  MapHost host;
  host.meet();
  host.publish(kToken);
  REQUIRE(host.ask(kToken) == Source::kShared);
  auto next = std::make_unique<MapWriter>();
  std::memcpy(next->bytes() + proto::kMapHeaderSize, host.map->bytes() + proto::kMapHeaderSize,
              next->size() - proto::kMapHeaderSize);
  host.restart(std::move(next));
  host.meet();
  CHECK(host.ask(kToken) == Source::kCache);
}

TEST_CASE("a larger map finds a place of its own, a smaller one the old place") {
  MapHost host;
  host.meet();
  for (const std::uint64_t slots : {1024u, 64u, 4096u, 128u, 4096u}) {
    host.restart(std::make_unique<MapWriter>(MapOptions{.slots = slots}));
    host.meet();
    CHECK(host.client.statistics().map_slots == slots);
    CHECK(memory_maps() == 1);
    for (int i = 0; i < 4; ++i) {  // as many as fit one set
      host.publish(long_token(i));
      CHECK(host.ask(long_token(i)) == Source::kShared);
    }
  }
}

TEST_CASE("after a thousand restarts there is one map") {
  MapHost host;
  for (int i = 0; i < 1000; ++i) {
    host.restart(std::make_unique<MapWriter>());
    host.meet();
  }
  CHECK(host.client.statistics().maps == 1000);
  CHECK(memory_maps() == 1);
}

TEST_CASE("the late greeting of a daemon that has gone does not bring its map back") {
  MapHost host;
  host.meet();
  host.publish(kToken);
  auto old = std::make_unique<MapWriter>();
  old->header().heartbeat = boot_now() - kSecond;
  host.map->beat();
  host.map.swap(old);
  Stream stream(host.client);  // opens a new connection
  REQUIRE(stream.send("a short one", 1));
  REQUIRE(receive_one(stream).answer.valid());
  host.map.swap(old);
  CHECK(host.client.statistics().maps == 1);
  CHECK(host.ask(kToken) == Source::kShared);
}

TEST_CASE("a restarted daemon that has no map leaves its predecessor's unused at once") {
  MapHost host;
  host.meet();
  host.publish(kToken);
  REQUIRE(host.ask(kToken) == Source::kShared);
  host.daemon.stop();
  host.greeting.features = 0;
  host.daemon.start();
  host.meet();
  CHECK(host.ask(kToken) == Source::kCache);  // though the old map's heart still beats
  CHECK(host.client.statistics().map_in_use == 0);
}

}  // namespace
}  // namespace claimsd::testing

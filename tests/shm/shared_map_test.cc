#include "daemon/shm/shared_map.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <algorithm>
#include <fstream>
#include <string>

#include "tests/shm/publisher_fixture.h"
#include "tests/support/catch.h"

namespace claimsd::shm {
namespace {

using testing::PublisherFixture;

TEST_CASE("a new map has its header, empty slots and the matching size") {
  const SharedMap map = PublisherFixture::make_map(256);
  struct stat file {};
  REQUIRE(fstat(map.descriptor(), &file) == 0);
  CHECK(static_cast<std::size_t>(file.st_size) == proto::map_size(256));
  // Fully allocated, so that a later write cannot fail for lack of memory.
  CHECK(static_cast<std::size_t>(file.st_blocks) * 512 >= proto::map_size(256));
  const proto::MapHeader& header = *map.memory().header;
  CHECK(header.magic == proto::kMapMagic);
  CHECK(std::string_view(reinterpret_cast<const char*>(&header.magic), 8) == "CLMDMAP1");
  CHECK(header.version == proto::kMapVersion);
  CHECK(header.slot_size == proto::kSlotSize);
  CHECK(header.slot_count == 256);
  CHECK(header.map_id[15] == 16);
  CHECK(header.boot_id[0] == 0xb0);
  CHECK(header.heartbeat.load() == 0);
  for (std::uint64_t at = 0; at < 256; ++at)
    for (std::size_t word = 0; word < proto::kSlotWords; ++word)
      REQUIRE(map.memory().slot(at)[word].load() == 0);
}

TEST_CASE("the descriptor to pass on is read-only, sealed, and not reopenable by other users") {
  const SharedMap map = PublisherFixture::make_map(64);
  CHECK((fcntl(map.descriptor(), F_GETFL) & O_ACCMODE) == O_RDONLY);
  CHECK((fcntl(map.descriptor(), F_GETFD) & FD_CLOEXEC) != 0);
  constexpr int kSealExec = 0x20;  // newer kernels set it too
  CHECK((fcntl(map.descriptor(), F_GET_SEALS) & ~kSealExec) ==
        (F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_FUTURE_WRITE | F_SEAL_SEAL));
  struct stat file {};
  REQUIRE(fstat(map.descriptor(), &file) == 0);
  CHECK((file.st_mode & 07777) == 0400);
}

TEST_CASE("writes by the daemon are visible through the descriptor") {
  PublisherFixture fixture;
  void* const at = mmap(nullptr, proto::map_size(testing::kTestSlots), PROT_READ, MAP_SHARED,
                        fixture.map.descriptor(), 0);
  REQUIRE(at != MAP_FAILED);
  testing::MapReader reader(at);
  fixture.publish(1, "user-1");
  CHECK(reader.find(0, testing::token_of(1), fixture.clock.now()));
  fixture.publisher->withdraw(fixture.key(1));
  CHECK_FALSE(reader.find(0, testing::token_of(1), fixture.clock.now()));
  munmap(at, proto::map_size(testing::kTestSlots));
}

// VmFlags of the mapping at this address, from /proc/self/smaps.
std::string vm_flags(const void* address) {
  const auto wanted = reinterpret_cast<std::uintptr_t>(address);
  std::ifstream maps("/proc/self/smaps");
  bool here = false;
  for (std::string line; std::getline(maps, line);) {
    std::uintptr_t from = 0;
    std::uintptr_t to = 0;
    if (std::sscanf(line.c_str(), "%lx-%lx ", &from, &to) == 2)
      here = from <= wanted && wanted < to;
    if (here && line.rfind("VmFlags:", 0) == 0) return line;
  }
  return "";
}

TEST_CASE("the map is excluded from core dumps") {
  const SharedMap map = PublisherFixture::make_map(64);
  CHECK(vm_flags(map.memory().header).find(" dd") != std::string::npos);  // proc(5): do not dump
}

TEST_CASE("an invalid slot count is rejected") {
  for (const std::uint64_t slots :
       {std::uint64_t{0}, std::uint64_t{63}, std::uint64_t{100}, proto::kMaxSlots * 2}) {
    CHECK_FALSE(SharedMap::create(slots, {}, {}));
  }
}

TEST_CASE("running out of memory for the map is an error that says what to do") {
  // Limits the size of files, to simulate a full tmpfs.
  rlimit before{};
  REQUIRE(getrlimit(RLIMIT_FSIZE, &before) == 0);
  signal(SIGXFSZ, SIG_IGN);
  const rlimit small{.rlim_cur = 4096, .rlim_max = before.rlim_max};
  REQUIRE(setrlimit(RLIMIT_FSIZE, &small) == 0);
  const auto map = SharedMap::create(64, {}, {});
  REQUIRE(setrlimit(RLIMIT_FSIZE, &before) == 0);
  signal(SIGXFSZ, SIG_DFL);
  REQUIRE_FALSE(map);
  CHECK(map.error().message.find("cache.map_slots") != std::string::npos);
}

TEST_CASE("a boot id is parsed as the kernel writes it") {
  const SharedMap::BootId id = parse_boot_id("00112233-4455-6677-8899-aabbccddeeff");
  for (std::size_t at = 0; at < id.size(); ++at) CHECK(id[at] == at * 0x11);
  for (const char* none : {"", "00112233", "00112233-4455-6677-8899-aabbccddeefg",
                           "00112233-4455-6677-8899-aabbccddeeff0"}) {
    CHECK(parse_boot_id(none) == SharedMap::BootId{});
  }
}

}  // namespace
}  // namespace claimsd::shm

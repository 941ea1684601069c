// A map that comes while a thread looks at its predecessor: made to happen at that very moment.
#include <cstdio>
#include <cstring>

#include "tests/client/map_host.h"
#include "tests/client/trap.h"
#include "tests/support/catch.h"

namespace claimsd::testing {
namespace {

const std::string kToken = long_token();

// The slots of the client's map: the pages after the header's.
void* slots_in_client() {
  void* found = nullptr;
  std::FILE* const maps = std::fopen("/proc/self/maps", "r");
  char line[512];
  while (std::fgets(line, sizeof line, maps) != nullptr) {
    std::uintptr_t begin = 0;
    if (std::strstr(line, "memfd:test map") != nullptr && std::strstr(line, " r--s") != nullptr &&
        std::sscanf(line, "%lx-", &begin) == 1) {
      found = reinterpret_cast<void*>(begin + proto::kMapHeaderSize);
    }
  }
  std::fclose(maps);
  return found;
}

TEST_CASE("a lookup during which another map comes believes neither") {
  MapHost host({.flags = CLAIMSD_NO_LOCAL_TABLE});
  host.meet();
  host.publish(kToken);
  auto next = std::make_unique<MapWriter>();
  std::memcpy(next->bytes() + proto::kMapHeaderSize, host.map->bytes() + proto::kMapHeaderSize,
              next->size() - proto::kMapHeaderSize);
  const Trap trap(slots_in_client(), proto::kMinSlots * proto::kSlotSize, [&] {
    host.restart(std::move(next));
    host.meet();
  });
  CHECK(host.ask(kToken) == Source::kCache);
  CHECK(trap.sprung());
  CHECK(host.client.statistics().maps == 2);
}

}  // namespace
}  // namespace claimsd::testing

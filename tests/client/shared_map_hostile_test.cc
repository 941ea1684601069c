// A map whose writer is broken, killed or hostile costs a client an answer over the socket, and
// nothing else.
#include <cstring>
#include <random>

#include "tests/client/map_host.h"
#include "tests/support/catch.h"

namespace claimsd::testing {
namespace {

constexpr std::uint64_t kSlots = proto::kMinSlots;

// Right, from wherever it comes: never another's claims, never an error that the caller sees.
bool is_right(MapHost& host, std::string_view token) {
  return host.ask(token) != Source::kNone;
}

TEST_CASE("no bit that is flipped in a lease brings wrong claims") {
  MapHost host({.flags = CLAIMSD_NO_LOCAL_TABLE});
  host.meet();
  const std::string token = long_token();
  host.publish(token);
  proto::MapWord* const slot = host.map->slot_of(token);
  const proto::SlotMeta meta = proto::unpack_meta(slot[proto::kSlotMeta]);
  const std::size_t bits = proto::kSlotCiphertext * 64 + proto::sealed_size(meta.size) * 8;
  std::size_t not_believed = 0;
  for (std::size_t bit = 0; bit < bits; ++bit) {
    const std::uint64_t mask = std::uint64_t{1} << (bit % 64);
    slot[bit / 64] ^= mask;
    host.map->beat();
    const Source source = host.ask(token);
    REQUIRE(source != Source::kNone);
    if (source == Source::kCache) ++not_believed;
    slot[bit / 64] ^= mask;
  }
  // Every bit is authenticated: there is none that may be another.
  CHECK(not_believed == bits);
  CHECK(host.ask(token) == Source::kShared);
}

TEST_CASE("random bytes in the map never crash a client nor bring wrong claims") {
  MapHost host({.local_entries = 8});
  host.meet();
  std::mt19937_64 random(42);
  const std::string sound(host.map->bytes(), host.map->size());
  for (int round = 0; round < 3000; ++round) {
    std::memcpy(host.map->bytes() + proto::kMapHeaderSize, sound.data() + proto::kMapHeaderSize,
                sound.size() - proto::kMapHeaderSize);
    host.map->header().epoch = 1;  // the rest of it stays as it was spoilt
    for (int i = 0; i < 4; ++i) host.publish(long_token(i));
    const std::size_t flips = 1 + random() % 200;
    for (std::size_t i = 0; i < flips; ++i) {
      // Mostly where it hurts: the words in front of a slot.
      const std::size_t slot = proto::kMapHeaderSize + random() % kSlots * proto::kSlotSize;
      const std::size_t at = random() % 4 == 0 ? random() % host.map->size()
                                               : slot + random() % (12 * sizeof(std::uint64_t));
      host.map->bytes()[at] = static_cast<char>(random());
    }
    host.map->beat();
    for (int i = 0; i < 4; ++i) REQUIRE(is_right(host, long_token(i)));
  }
}

TEST_CASE("a slot that claims every possible size is never read beyond its end") {
  MapHost host({.flags = CLAIMSD_NO_LOCAL_TABLE});
  host.meet();
  const std::string token = long_token();
  host.publish(token);
  proto::MapWord& meta = host.map->slot_of(token)[proto::kSlotMeta];
  const proto::SlotMeta said = proto::unpack_meta(meta);
  for (const std::uint32_t size :
       {0u, said.size - 1, said.size + 1, std::uint32_t{proto::kMaxSlotClaims},
        std::uint32_t{proto::kMaxSlotClaims} + 1, 0x7fffffffu, 0xffffffffu}) {
    meta = proto::pack({size, said.upstream, said.flags});
    CHECK(host.ask(token) == Source::kCache);
  }
}

TEST_CASE("a sealed slot that holds no claims is not believed") {
  MapHost host;
  host.meet();
  const std::string token = long_token();
  for (const std::string& claims :
       {std::string("x"), std::string(proto::kMaxSlotClaims, '\xff'), claims_block("7") + "x",
        claims_block(std::string("7\0", 2)), claims_block("7", "a", {std::string("r\0", 2)})}) {
    host.map->publish(token, claims);
    CHECK(host.ask(token) == Source::kCache);
  }
}

TEST_CASE("another token's slot, moved to where ours would lie, is not ours") {
  MapHost host;
  host.meet();
  const std::string ours = long_token(1);
  const std::string theirs = long_token(2);
  host.publish(ours);
  host.publish(theirs);
  proto::MapWord* const from = host.map->slot_of(theirs);
  proto::MapWord* const to = host.map->slot_of(ours);
  for (std::size_t i = 0; i < proto::kSlotWords; ++i) {
    if (i != proto::kSlotIndex && i != proto::kSlotIndex + 1) to[i] = from[i].load();
  }
  CHECK(host.ask(ours) == Source::kCache);
}

}  // namespace
}  // namespace claimsd::testing

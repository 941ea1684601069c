#include "proto/sealing.h"

#include <cstring>
#include <fstream>
#include <map>
#include <set>
#include <sstream>
#include <string>

#include "tests/support/catch.h"

namespace claimsd::proto {
namespace {

// Reads golden_slot.txt.
std::map<std::string, std::string> read_golden() {
  std::map<std::string, std::string> golden;
  std::ifstream file(CLAIMSD_GOLDEN_SLOT);
  REQUIRE(file);
  for (std::string line; std::getline(file, line);) {
    std::istringstream words(line.substr(0, line.find('#')));
    std::string name, hex;
    if (!(words >> name >> hex)) continue;
    std::string bytes;
    for (std::size_t at = 0; at < hex.size(); at += 2)
      bytes += static_cast<char>(std::stoi(hex.substr(at, 2), nullptr, 16));
    golden[name] = bytes;
  }
  return golden;
}

// The inputs and the slot of golden_slot.txt.
struct Golden {
  Golden() {
    const auto read = read_golden();
    REQUIRE(read.at("map_id").size() == map_id.size());
    std::memcpy(map_id.data(), read.at("map_id").data(), map_id.size());
    std::memcpy(&upstream, read.at("upstream").data(), sizeof upstream);
    token = read.at("token");
    index = read.at("index");
    key = read.at("key");
    claims = read.at("claims");
    std::memset(&slot, 0, sizeof slot);
    std::memcpy(slot.words.data(), read.at("slot").data(), read.at("slot").size());
    REQUIRE(sealer.open());
    REQUIRE(sealer.derive(map_id, upstream, token, secret));
  }

  std::string unseal(const SlotCopy& copy) {
    std::array<char, kMaxSlotClaims> out;
    out.fill('\x77');
    const std::size_t size = sealer.unseal(secret, copy, out.data());
    // A failed open must leave no plain text in the buffer.
    const std::string text(out.data(), out.size());
    if (size == 0) CHECK(text.find("user-123") == std::string::npos);
    return text.substr(0, size);
  }

  Sealer sealer;
  MapId map_id{};
  std::uint16_t upstream = 0;
  std::string token, index, key, claims;
  SlotCopy slot;
  SlotSecret secret;
};

template <class Array>
std::string bytes_of(const Array& array) {
  return {reinterpret_cast<const char*>(array.data()), sizeof array};
}

// Seals claims of this size into `slot` and returns them.
std::string sealed_with(Golden& golden, std::size_t size, SlotCopy& slot) {
  std::string claims(size, '\0');
  for (std::size_t at = 0; at < size; ++at) claims[at] = static_cast<char>(at * 7 + 1);
  std::memset(&slot, 0, sizeof slot);
  slot.words[kSlotSequence] = 2;
  slot.words[kSlotMeta] = pack({.size = static_cast<std::uint32_t>(size)});
  CHECK(golden.sealer.seal(golden.secret, claims, slot) == (size != 0 && size <= kMaxSlotClaims));
  return claims;
}

TEST_CASE("index and key of a token match the golden slot") {
  Golden golden;
  CHECK(bytes_of(golden.secret.index) == golden.index);
  CHECK(bytes_of(golden.secret.key) == golden.key);
}

TEST_CASE("sealing produces the golden slot, and opening it returns the claims") {
  Golden golden;
  SlotCopy made;
  std::memset(&made, 0, sizeof made);
  std::memcpy(made.words.data(), golden.slot.words.data(), kSlotClearWords * sizeof(std::uint64_t));
  REQUIRE(golden.sealer.seal(golden.secret, golden.claims, made));
  CHECK(made.words == golden.slot.words);
  CHECK(golden.unseal(golden.slot) == golden.claims);
  CHECK(golden.slot.publication() == 0x01'02'03'04'05);
  CHECK(golden.slot.meta().upstream == 3);
  CHECK(golden.slot.meta().flags == 1);
}

TEST_CASE("a slot with any bit changed does not open") {
  Golden golden;
  const std::size_t bits =
      (kSlotCiphertext * sizeof(std::uint64_t) + sealed_size(golden.claims.size())) * 8;
  for (std::size_t bit = 0; bit < bits; ++bit) {
    SlotCopy changed = golden.slot;
    changed.words[bit / 64] ^= std::uint64_t{1} << (bit % 64);
    // The lowest bit of the sequence means "being written" and is not part of the publication
    // number, but it is authenticated too.
    INFO("bit " << bit % 64 << " of word " << bit / 64);
    CHECK(golden.unseal(changed).empty());
  }
}

TEST_CASE("another token, map or upstream derives another index and opens nothing") {
  Golden golden;
  SlotSecret other;
  std::string token = golden.token;
  MapId map_id = golden.map_id;
  std::uint16_t upstream = golden.upstream;
  SECTION("another last character") {
    token.back() = 'm';
  }
  SECTION("another first character") {
    token.front() = 'f';
  }
  SECTION("a longer token") {
    token += 'l';
  }
  SECTION("a shorter token") {
    token.pop_back();
  }
  SECTION("a token that ends with the bytes that follow it in the derivation") {
    token += bytes_of(map_id);
  }
  SECTION("another map") {
    map_id[15] ^= 1;
  }
  SECTION("another upstream") {
    upstream ^= 0x100;
  }
  REQUIRE(golden.sealer.derive(map_id, upstream, token, other));
  CHECK(other.index != golden.secret.index);
  CHECK(other.key != golden.secret.key);
  std::array<char, kMaxSlotClaims> out;
  CHECK(golden.sealer.unseal(other, golden.slot, out.data()) == 0);
}

TEST_CASE(
    "claims of any size that fits are sealed and opened; larger or empty claims are not sealed") {
  Golden golden;
  std::array<char, kMaxSlotClaims> out;
  for (std::size_t size = 0; size <= kMaxSlotClaims + 2; ++size) {
    SlotCopy slot;
    const std::string claims = sealed_with(golden, size, slot);
    const std::size_t expected = size <= kMaxSlotClaims ? size : 0;
    INFO(size);
    REQUIRE(golden.sealer.unseal(golden.secret, slot, out.data()) == expected);
    if (expected != 0) CHECK(std::string_view(out.data(), size) == claims);
  }
}

TEST_CASE("the last block is padded with zeros, and nothing after it is written") {
  Golden golden;
  for (const std::size_t size : {std::size_t{1}, std::size_t{15}, std::size_t{16}, std::size_t{17},
                                 std::size_t{300}, kMaxSlotClaims}) {
    SlotCopy slot;
    const std::string claims = sealed_with(golden, size, slot);
    std::array<char, kMaxSlotClaims> out;
    out.fill('\x77');
    INFO(size);
    REQUIRE(golden.sealer.unseal(golden.secret, slot, out.data()) == size);
    const std::string text(out.data(), out.size());
    CHECK(text == claims + std::string(sealed_size(size) - size, '\0') +
                      std::string(kMaxSlotClaims - sealed_size(size), '\x77'));
    const auto* const end = reinterpret_cast<const char*>(&slot.words[kSlotCiphertext]);
    const std::string behind(end + sealed_size(size), kMaxSlotClaims - sealed_size(size));
    CHECK(behind == std::string(behind.size(), '\0'));
  }
}

TEST_CASE("a size that a slot cannot hold is neither sealed nor opened") {
  Golden golden;
  for (const std::uint32_t size : {0u, 945u, 4096u, 0x7fffffffu, 0x80000000u, 0xffffffffu}) {
    SlotCopy slot = golden.slot;
    slot.words[kSlotMeta] = pack({.size = size, .upstream = 3, .flags = 1});
    CHECK(golden.unseal(slot).empty());
    CHECK_FALSE(golden.sealer.seal(golden.secret, golden.claims, slot));
  }
}

TEST_CASE("the same claims in two publications share no ciphertext") {
  Golden golden;
  SlotCopy one = golden.slot;
  SlotCopy two = golden.slot;
  two.words[kSlotSequence] += 2;
  REQUIRE(golden.sealer.seal(golden.secret, golden.claims, one));
  REQUIRE(golden.sealer.seal(golden.secret, golden.claims, two));
  for (std::size_t at = kSlotTag; at < kSlotCiphertext + 6; ++at)
    CHECK(one.words[at] != two.words[at]);
}

TEST_CASE("a wiped secret is all zeros") {
  Golden golden;
  golden.secret.wipe();
  CHECK(bytes_of(golden.secret.key) == std::string(32, '\0'));
  CHECK(bytes_of(golden.secret.index) == std::string(16, '\0'));
}

TEST_CASE("any index maps to a set within the map") {
  for (const std::uint64_t slots : {kMinSlots, std::uint64_t{16384}, kMaxSlots}) {
    REQUIRE(is_valid_slot_count(slots));
    std::set<std::uint64_t> seen;
    for (std::uint64_t word = 0; word < 2 * slots; ++word) {
      const std::uint64_t first = first_slot_of(word | 0xfedc'0000'0000'0000, slots);
      REQUIRE(first % kWays == 0);
      REQUIRE(first + kWays <= slots);
      seen.insert(first);
    }
    CHECK(seen.size() == slots / kWays);
  }
  for (const std::uint64_t slots : {0u, 1u, 32u, 63u, 65u, 100u, 1u << 21})
    CHECK_FALSE(is_valid_slot_count(slots));
}

}  // namespace
}  // namespace claimsd::proto

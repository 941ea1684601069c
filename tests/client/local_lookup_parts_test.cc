// The parts of the fast path that the ABI does not show: hash, terms, table, the copy of a slot.
#include <sys/mman.h>
#include <unistd.h>
#include <array>

#include <set>
#include <string>

#include "client/src/answer.h"
#include "client/src/lease_reader.h"
#include "client/src/local_table.h"
#include "tests/client/trap.h"
#include "tests/support/catch.h"

namespace claimsd::client {
namespace {

constexpr std::uint64_t kSecond = 1'000'000'000;

TEST_CASE("a token's hash depends on every byte, on the length and on the key") {
  TokenHash::Key key;
  std::uint64_t word = 0;
  for (std::uint64_t& lane : key.lanes) lane = word += 0x9e3779b97f4a7c15;
  for (std::uint64_t& added : key.words) added = word += 0x9e3779b97f4a7c15;
  TokenHash::Key other_key = key;
  other_key.words[TokenHash::kLanes - 1] ^= 1;  // of the lane that every size ends in
  const TokenHash hash(key);
  const TokenHash other(other_key);
  for (const std::size_t size :
       {32u, 33u, 47u, 48u, 49u, 63u, 64u, 65u, 79u, 127u, 128u, 129u, 143u, 144u, 145u, 800u}) {
    std::string token(size, 'a');
    std::set<std::uint64_t> seen{hash(token)};
    CHECK(other(token) != hash(token));
    CHECK(hash(token + "a") != hash(token));
    for (char& byte : token) {
      byte = 'b';
      CHECK(seen.insert(hash(token)).second);
      byte = 'a';
    }
  }
}

TEST_CASE("a lease holds until its end and not at it") {
  const LeaseTerms terms{
      .epoch = 3, .confirmed_at = 100, .lease_end = 1000, .hard_end = UINT64_MAX};
  CHECK(in_force(terms, 3, {.boot = 999}, UINT32_MAX));
  CHECK_FALSE(in_force(terms, 3, {.boot = 1000}, UINT32_MAX));
  CHECK_FALSE(in_force(terms, 2, {.boot = 999}, UINT32_MAX));
  CHECK_FALSE(in_force(terms, 3, {.boot = 99}, UINT32_MAX));
}

TEST_CASE("a token's own end is judged by the exact clock when it is near") {
  const auto now = static_cast<std::uint64_t>(wall_time_ns());
  // A coarse clock that is late by ten seconds.
  const Moment late{.boot = 0, .coarse_wall = now - 10 * kSecond};
  CHECK_FALSE(is_before(late, now - 1));
  CHECK_FALSE(is_before(late, now - 5 * kSecond));
  CHECK(is_before(late, now + 5 * kSecond));
  CHECK(is_before(late, now + 3600 * kSecond));
  CHECK(is_before(late, proto::kNoHardEnd));
  CHECK_FALSE(is_before({.boot = 0, .coarse_wall = UINT64_MAX}, 5));
}

TEST_CASE("max_age is exact to the nanosecond and does not overflow") {
  CHECK(is_young(1000, {.boot = 1000 + 5'000'000}, 5));
  CHECK_FALSE(is_young(1000, {.boot = 1001 + 5'000'000}, 5));
  CHECK(is_young(0, {.boot = UINT64_MAX}, UINT32_MAX));
  CHECK_FALSE(is_young(0, {.boot = UINT64_MAX}, UINT32_MAX - 1));
}

TEST_CASE("a heartbeat counts for two seconds, and 0 for nothing") {
  CHECK(is_beating(10 * kSecond, 10 * kSecond));
  CHECK(is_beating(10 * kSecond, 12 * kSecond));
  CHECK_FALSE(is_beating(10 * kSecond, 12 * kSecond + 1));
  CHECK(is_beating(10 * kSecond + 1, 10 * kSecond));  // after we looked at the clock
  CHECK_FALSE(is_beating(13 * kSecond, 10 * kSecond));
  CHECK_FALSE(is_beating(0, 0));
}

TEST_CASE("what is left of an answer is whichever end comes first") {
  const LeaseTerms terms{
      .epoch = 0, .confirmed_at = 0, .lease_end = 5 * kSecond, .hard_end = 9 * kSecond};
  CHECK(ttl_ms(terms, {.boot = kSecond, .coarse_wall = 0}) == 4000);
  CHECK(ttl_ms(terms, {.boot = kSecond, .coarse_wall = 8 * kSecond}) == 1000);
  CHECK(ttl_ms(terms, {.boot = kSecond, .coarse_wall = 10 * kSecond}) == 0);
  CHECK(age_ms(terms, {.boot = 1'500'000'000}) == 1500);
}

struct Table {
  Table() { REQUIRE(table.create(4)); }

  void keep(std::string_view token, std::uint64_t hash) {
    const std::string block = [&] {
      std::string bytes(1024, '\0');
      proto::Writer writer(bytes.data(), bytes.size());
      proto::encode_claims(writer, token, "", std::array<std::string_view, 1>{"rvt"}, "{}");
      bytes.resize(writer.size());
      return bytes;
    }();
    LookupResult finding{
        .verdict = proto::Verdict::kValid, .source = proto::Source::kShared, .reason = Reason::kOk};
    REQUIRE(read_claims(block, finding.claims));
    claimsd_answer* const answer = make_answer(finding);
    table.keep({token, hash, UINT32_MAX}, {2, &sequence, 10, terms}, moment, *answer);
    claimsd_answer_free(answer);
  }
  bool find(std::string_view token, std::uint64_t hash, std::uint64_t generation = 2) {
    claimsd_answer* answer = nullptr;
    const bool found = table.find({token, hash, UINT32_MAX}, generation, 1, moment, &answer);
    const bool right = found && claimsd_answer_id(answer) == token;
    CHECK(found == right);
    claimsd_answer_free(answer);
    return found;
  }

  LocalTable table;
  proto::MapWord sequence{10};
  Moment moment{.boot = 5, .coarse_wall = 5};
  LeaseTerms terms{.epoch = 1, .confirmed_at = 1, .lease_end = 100, .hard_end = proto::kNoHardEnd};
};

TEST_CASE("a token whose hash is another's gets nothing of it") {
  Table table;
  table.keep("first token of some length", 77);
  CHECK(table.find("first token of some length", 77));
  CHECK_FALSE(table.find("other token of some length", 77));
  CHECK_FALSE(table.find("first token of some lengt", 77));
  CHECK_FALSE(table.find("first token of some length", 78));
  table.keep("other token of some length", 77);
  CHECK(table.find("other token of some length", 77));
  CHECK(table.find("first token of some length", 77));
}

TEST_CASE("what has ended in a set goes when something else is kept there") {
  Table table;
  table.keep("first token of some length", 77);
  table.moment.boot = table.terms.lease_end;
  table.terms.lease_end += 100;
  table.keep("other token of some length", 78);
  table.moment.boot = 5;  // as if it had not ended
  CHECK_FALSE(table.find("first token of some length", 77));
  CHECK(table.find("other token of some length", 78));
}

TEST_CASE("an answer of another generation of the map is forgotten") {
  Table table;
  table.keep("first token of some length", 77);
  CHECK_FALSE(table.find("first token of some length", 77, 4));
  CHECK_FALSE(table.find("first token of some length", 77, 2));
}

// A slot over two pages, of which the second one is a trap.
struct TrappedSlot {
  static constexpr std::size_t kPage = 4096;
  static constexpr std::size_t kBefore = 64;  // words on the first page

  TrappedSlot() {
    readable = static_cast<char*>(mmap(nullptr, 2 * kPage, PROT_READ, MAP_SHARED, file, 0));
    writable =
        static_cast<char*>(mmap(nullptr, 2 * kPage, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0));
    write(1);
  }
  ~TrappedSlot() {
    munmap(readable, 2 * kPage);
    munmap(writable, 2 * kPage);
    close(file);
  }

  static proto::MapWord* slot_in(char* pages) {
    return reinterpret_cast<proto::MapWord*>(pages + kPage) - kBefore;
  }
  void write(std::uint64_t number) {
    proto::MapWord* const slot = slot_in(writable);
    for (std::size_t i = 1; i < proto::kSlotWords; ++i) slot[i] = number;
    slot[proto::kSlotMeta] = proto::pack({proto::kMaxSlotClaims, 0, 0});
    slot[proto::kSlotSequence] = 2 * number;
  }

  static int make_file() {
    const int made = memfd_create("trap", MFD_CLOEXEC);
    REQUIRE(ftruncate(made, 2 * kPage) == 0);
    return made;
  }
  int file = make_file();
  char* readable;
  char* writable;
};

TEST_CASE("a slot that is rewritten while it is copied gives no copy, and one the next time") {
  TrappedSlot pages;
  proto::SlotCopy copy;
  const testing::Trap trap(pages.readable + TrappedSlot::kPage, TrappedSlot::kPage,
                           [&] { pages.write(2); });
  CHECK_FALSE(copy_slot(TrappedSlot::slot_in(pages.readable), copy));
  REQUIRE(trap.sprung());
  CHECK(copy_slot(TrappedSlot::slot_in(pages.readable), copy));
  CHECK(copy.publication() == 2);
}

TEST_CASE("a slot whose writer was killed in it gives no copy") {
  TrappedSlot pages;
  proto::SlotCopy copy;
  proto::MapWord* const slot = TrappedSlot::slot_in(pages.writable);
  ++slot[proto::kSlotSequence];
  CHECK_FALSE(copy_slot(slot, copy));
  slot[proto::kSlotSequence] = 4;
  CHECK(copy_slot(slot, copy));
}

}  // namespace
}  // namespace claimsd::client

#include "daemon/crypto/sealer.h"

#include <cstring>
#include <set>
#include <string>

#include "tests/support/catch.h"

using namespace claimsd;
using namespace claimsd::crypto;

namespace {

Sealer make_sealer(char fill, Random& random) {
  auto made = Sealer::create(Secret(std::string(32, fill)), random);
  REQUIRE(made);
  return std::move(*made);
}

std::string seal(Sealer& sealer, std::string_view bound, std::string_view plain) {
  std::string box(plain.size() + Sealer::kOverhead, '\0');
  REQUIRE(sealer.seal(bound, plain, box));
  return box;
}

bool opens(Sealer& sealer, std::string_view bound, std::string_view box,
           std::string* out = nullptr) {
  std::string plain(box.size() - Sealer::kOverhead, 'x');
  const bool opened = sealer.open(bound, box, plain);
  if (!opened) CHECK(plain == std::string(plain.size(), '\0'));
  if (out != nullptr) *out = plain;
  return opened;
}

// Produces a known nonce.
class FixedRandom final : public Random {
 public:
  void fill(void* out, std::size_t size) override { std::memset(out, 0, size); }
};

}  // namespace

TEST_CASE("sealed data of any size opens again") {
  SystemRandom random;
  Sealer sealer = make_sealer('k', random);
  for (const std::size_t size : {0U, 1U, 15U, 16U, 300U, 20'000U}) {
    const std::string plain(size, 'p');
    std::string opened;
    CHECK(opens(sealer, "bound", seal(sealer, "bound", plain), &opened));
    CHECK(opened == plain);
  }
}

TEST_CASE("a box opens only unmodified, under its key and with its bound data") {
  SystemRandom random;
  Sealer sealer = make_sealer('k', random);
  Sealer other = make_sealer('o', random);
  const std::string box = seal(sealer, "bound", "the plain text");
  CHECK_FALSE(opens(other, "bound", box));
  CHECK_FALSE(opens(sealer, "bounD", box));
  CHECK_FALSE(opens(sealer, "", box));
  CHECK_FALSE(opens(sealer, "bound", box.substr(0, box.size() - 1)));
  CHECK_FALSE(opens(sealer, "bound", box + '\0'));
  for (std::size_t i = 0; i < box.size(); ++i) {
    std::string changed = box;
    changed[i] = static_cast<char>(changed[i] ^ 1);
    CHECK_FALSE(opens(sealer, "bound", changed));
  }
  CHECK(opens(sealer, "bound", box));  // an earlier failure has no effect
}

TEST_CASE("the box is AES-256-GCM: test case 14 of the GCM specification") {
  FixedRandom zero;
  auto sealer = Sealer::create(Secret(std::string(32, '\0')), zero);
  REQUIRE(sealer);
  const std::string box = seal(*sealer, "", std::string(16, '\0'));
  const unsigned char expected[] = {0xce, 0xa7, 0x40, 0x3d, 0x4d, 0x60, 0x6b, 0x6e,
                                    0x07, 0x4e, 0xc5, 0xd3, 0xba, 0xf3, 0x9d, 0x18,
                                    0xd0, 0xd1, 0xc8, 0xa7, 0x99, 0x99, 0x6b, 0xf0,
                                    0x26, 0x5b, 0x98, 0xb5, 0xd4, 0x8a, 0xb9, 0x19};
  REQUIRE(box.size() == 12 + sizeof expected);
  CHECK(std::memcmp(box.data() + 12, expected, sizeof expected) == 0);
}

TEST_CASE("each seal uses a new nonce, so equal claims produce different boxes") {
  SystemRandom random;
  Sealer sealer = make_sealer('k', random);
  std::set<std::string> nonces;
  std::set<std::string> boxes;
  for (int i = 0; i < 1000; ++i) {
    const std::string box = seal(sealer, "bound", "same");
    nonces.insert(box.substr(0, Sealer::kNonceSize));
    boxes.insert(box.substr(Sealer::kNonceSize));
  }
  CHECK(nonces.size() == 1000);
  CHECK(boxes.size() == 1000);
}

TEST_CASE("wrong sizes are rejected before any memory is touched") {
  SystemRandom random;
  Sealer sealer = make_sealer('k', random);
  std::string small(Sealer::kOverhead + 3, '\0');
  CHECK_FALSE(sealer.seal("", "four", small));
  CHECK_FALSE(sealer.open("", "too short", small));
  CHECK_FALSE(sealer.open("", small, small));
  CHECK_FALSE(Sealer::create(Secret("short"), random));
}

// Which keys and anchors of a file are trusted (FORMAT.md, "Anchors").
#include "daemon/audit/anchors.h"

#include "daemon/audit/anchor_lines.h"
#include "daemon/crypto/ed25519.h"
#include "tests/support/catch.h"

namespace claimsd::audit {
namespace {

struct Key {
  explicit Key(char seed) : secret(std::string(crypto::kEd25519Key, seed)) {}
  std::string hex() const {
    std::string text;
    for (const char c : crypto::ed25519_public(secret))
      text += fmt::format("{:02x}", static_cast<unsigned char>(c));
    return text;
  }
  // This key's own line, signed by `parent`.
  std::string line(const Key& parent) const {
    return signed_key_line("host", 1, hex(), parent.hex(), parent.secret);
  }
  std::string first_line() const { return signed_key_line("host", 1, hex(), "-", secret); }
  std::string anchor(Sequence sequence) const {
    return signed_anchor_line({.origin = "host", .sequence = sequence}, hex(), secret);
  }
  Secret secret;
};

const Key kFirst('a');
const Key kSecond('b');
const Key kStranger('c');
const Key kOther('d');

std::string text_of(std::initializer_list<std::string> lines) {
  std::string text;
  for (const std::string& line : lines) text += line + "\n";
  return text;
}

TEST_CASE("a chain of keys is trusted, each signed by the one before, with their anchors") {
  const Anchors read = read_anchors(
      text_of({kFirst.first_line(), kFirst.anchor(10), kSecond.line(kFirst), kSecond.anchor(20)}));
  CHECK(read.problems.empty());
  CHECK(read.root == kFirst.hex());
  REQUIRE(read.anchors.size() == 2);
  CHECK(read.anchors[1].sequence == 20);
}

TEST_CASE("a key that an unknown key has signed is not trusted, nor are its anchors") {
  const Anchors read = read_anchors(text_of(
      {kFirst.first_line(), kStranger.line(kOther), kStranger.anchor(30), kOther.anchor(40)}));
  CHECK(read.anchors.empty());
  CHECK(read.problems.size() == 3);
}

TEST_CASE("a second first key is not trusted, and with a pinned key only that one is") {
  const std::string both =
      text_of({kFirst.first_line(), kStranger.first_line(), kStranger.anchor(5), kFirst.anchor(6)});
  CHECK(read_anchors(both).root == kFirst.hex());
  CHECK(read_anchors(both).anchors.size() == 1);
  const Anchors pinned = read_anchors(both, kStranger.hex());
  CHECK(pinned.root == kStranger.hex());
  REQUIRE(pinned.anchors.size() == 1);
  CHECK(pinned.anchors[0].sequence == 5);
}

TEST_CASE("a key line or an anchor with a changed character is not trusted") {
  const std::string key = kSecond.line(kFirst);
  const std::string anchor = kFirst.anchor(123);
  for (const std::string& line : {key, anchor}) {
    for (std::size_t at = 20; at < line.size(); at += 3) {
      std::string changed = line;
      changed[at] = changed[at] == '1' ? '2' : '1';
      CAPTURE(changed);
      CHECK(
          read_anchors(text_of({kFirst.first_line(), changed, kSecond.anchor(9)})).anchors.empty());
    }
  }
}

}  // namespace
}  // namespace claimsd::audit

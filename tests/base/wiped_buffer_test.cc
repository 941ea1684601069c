// What a buffer or a Secret held is nowhere in the process after it was wiped, moved or has grown.
#include "daemon/base/wiped_buffer.h"

#include "daemon/base/secret.h"
#include "tests/support/catch.h"
#include "tests/support/memory_scan.h"

namespace claimsd {
namespace {

// Masked, so that the searching process has it in the clear only where the test puts it.
const std::string& secret() {
  static const std::string text = [] {
    std::string made;
    for (int i = 0; i < 200; ++i) made += static_cast<char>(('a' + (i * 11 + i / 26) % 26) ^ kMask);
    return made;
  }();
  return text;
}

// Appends the secret byte by byte: no other place ever has it in the clear.
void put(WipedBuffer& buffer) {
  for (const char c : secret()) {
    const char byte = static_cast<char>(c ^ kMask);
    buffer.append({&byte, 1});
  }
}

bool holds(const WipedBuffer& buffer, std::size_t at) {
  const std::string_view bytes = buffer.view().substr(at, secret().size());
  return bytes.size() == secret().size() &&
         std::equal(bytes.begin(), bytes.end(), secret().begin(),
                    [](char one, char other) { return one == static_cast<char>(other ^ kMask); });
}

int found() {
  return count_in_memory(std::string_view(secret()).substr(100, 64));
}

TEST_CASE("a buffer that grows leaves nothing behind in its old memory") {
  WipedBuffer buffer;
  put(buffer);
  buffer.append(std::string(100'000, '.'));
  CHECK(holds(buffer, 0));
  CHECK(found() == 1);
  buffer.release();
  CHECK(found() == 0);
}

TEST_CASE("a buffer wipes what it clears, compacts, moves and destroys") {
  WipedBuffer buffer;
  buffer.append(std::string(1000, '.'));
  put(buffer);
  buffer.append("the rest");
  SECTION("cleared") {
    buffer.clear();
    CHECK(buffer.empty());
  }
  SECTION("compacted") {
    buffer.remove_prefix(1000);
    buffer.compact();
    CHECK(holds(buffer, 0));
    CHECK(found() == 1);
    buffer.remove_prefix(secret().size());
    buffer.compact();
    CHECK(buffer.view() == "the rest");
  }
  SECTION("emptied from the front") {
    buffer.remove_prefix(buffer.size());
    CHECK(buffer.empty());
  }
  SECTION("moved") {
    WipedBuffer other = std::move(buffer);
    CHECK(holds(other, 1000));
    CHECK(found() == 1);
    buffer = WipedBuffer();
  }
  SECTION("destroyed") {
    const WipedBuffer gone = std::move(buffer);
  }
  CHECK(found() == 0);
}

TEST_CASE("a Secret leaves nothing behind when it is moved from, wiped or destroyed") {
  Secret kept(secret().size());
  for (std::size_t at = 0; at < secret().size(); ++at)
    kept.data()[at] = static_cast<char>(secret()[at] ^ kMask);
  SECTION("moved") {
    Secret other = std::move(kept);
    CHECK(found() == 1);
    other.wipe();
  }
  SECTION("replaced") {
    kept = Secret(std::string_view("another"));
  }
  SECTION("wiped") {
    kept.wipe();
  }
  CHECK(found() == 0);
}

}  // namespace
}  // namespace claimsd

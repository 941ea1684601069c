// Parsed claims leave no copy in the process's memory once the caller has destroyed them.
#include <array>

#include "daemon/claims/parse/claims_parser.h"
#include "daemon/claims/parse/jwt_parser.h"
#include "tests/support/catch.h"
#include "tests/support/memory_scan.h"

namespace claimsd::claims {
namespace {

// Masked at compile time, so that the process never holds the clear text.
std::string masked_text(int salt) {
  std::string text;
  for (int i = 0; i < 120; ++i) {
    text += static_cast<char>(('a' + (i * 11 + i / 26 + salt) % 26) ^ kMask);
  }
  return text;
}

void append_unmasked(Secret& to, std::size_t& size, std::string_view text, char mask = 0) {
  for (const char c : text) to.data()[size++] = static_cast<char>(c ^ mask);
}

// `{"id":"7","email":<secret>,"role":[<secret>],"name":<secret>}` followed by white space.
Secret body_with(const std::string& email, const std::string& role, const std::string& name,
                 std::size_t blanks) {
  Secret body(600 + blanks);
  std::size_t size = 0;
  append_unmasked(body, size, R"({"id":"7","email":")");
  append_unmasked(body, size, email, kMask);
  append_unmasked(body, size, R"(","role":[")");
  append_unmasked(body, size, role, kMask);
  append_unmasked(body, size, R"("],"name":")");
  append_unmasked(body, size, name, kMask);
  append_unmasked(body, size, R"("})");
  while (size < body.view().size()) body.data()[size++] = ' ';
  return body;
}

// Clears the stack of functions that have returned: under sanitizers, values that normally stay in
// registers remain there.
[[gnu::noinline]] void overwrite_dead_frames() {
  std::array<volatile char, std::size_t{256} << 10> over;
  for (volatile char& byte : over) byte = 0;
}

int count_left(const std::string& masked_secret) {
  overwrite_dead_frames();
  return count_in_memory(masked_secret);
}

// 8123456789012345678 as stored on simdjson's tape.
[[gnu::noinline]] std::string masked_number() {
  const std::uint64_t value = std::uint64_t{8'123'456'789'012'345'677} + 1;
  std::string number(sizeof value, '\0');
  for (std::size_t i = 0; i < number.size(); ++i)
    number[i] = static_cast<char>(static_cast<char>((value >> (8 * i)) & 0xff) ^ kMask);
  return number;
}

TEST_CASE("parsed claims leave no copy in memory") {
  const std::string email = masked_text(1);
  const std::string role = masked_text(2);
  const std::string name = masked_text(3);
  const std::size_t blanks = GENERATE(0, 40'000);
  {
    const Secret body = body_with(email, role, name, blanks);
    REQUIRE(count_in_memory(email) > 0);  // the search works
    const auto parsed = parse_claims(body.view(), {});
    REQUIRE(parsed);
    CHECK(count_in_memory(email) >= 2);
  }
  CHECK(count_left(email) == 0);
  CHECK(count_left(role) == 0);
  CHECK(count_left(name) == 0);
}

TEST_CASE("reused JSON buffers keep no copy of claims or numbers") {
  const std::string email = masked_text(5);
  const std::size_t blanks = GENERATE(0, 40'000);
  JsonBuffers buffers;
  {
    const Secret body = body_with(email, masked_text(6), masked_text(7), blanks);
    REQUIRE(parse_claims(body.view(), {}, buffers));
    Secret id(std::string_view(R"({"id":8123456789012345678})"));
    REQUIRE(parse_claims(id.view(), {}, buffers));
  }
  CHECK(count_left(email) == 0);
  CHECK(count_left(masked_number()) == 0);
  {
    Secret cut_off(std::string_view(R"({"id":8123456789012345678)"));
    REQUIRE_FALSE(parse_claims(cut_off.view(), {}, buffers));
  }
  CHECK(count_left(masked_number()) == 0);
}

TEST_CASE("truncated claims leave no copy in memory") {
  const std::string email = masked_text(4);
  {
    Secret body(100'000);
    std::size_t size = 0;
    append_unmasked(body, size, R"({"id":"7","email":")");
    append_unmasked(body, size, email, kMask);
    append_unmasked(body, size, R"(","filler":")");
    while (size < body.view().size() - 2) body.data()[size++] = 'f';
    append_unmasked(body, size, R"("})");
    const auto parsed = parse_claims(body.view(), {});
    REQUIRE(parsed);
    CHECK(parsed->truncated);
  }
  CHECK(count_left(email) == 0);
}

}  // namespace
}  // namespace claimsd::claims

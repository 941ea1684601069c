// The head of the set of revocations shows whether the set is older than a copy says.
#include "daemon/claims/revocation/set_head.h"
#include "daemon/claims/revocation/rule.h"
#include "tests/support/catch.h"

using namespace claimsd::claims;

namespace {

SetHead head(std::uint64_t sequence, std::uint8_t digest = 1) {
  SetHead made{.sequence = sequence};
  made.digest[0] = digest;
  return made;
}

bool refused(const SetHead& set, std::vector<SetHead> copies) {
  return refusing_copy(set, copies) != nullptr;
}

}  // namespace

TEST_CASE("either copy of the head is enough to refuse an older set") {
  CHECK(refused(head(4), {head(5), head(3)}));
  CHECK(refused(head(4), {head(3), head(5)}));
  CHECK(refused(head(0), {head(1)}));
  CHECK(refused(head(5, 2), {head(5)}));  // another set with as many changes
}

TEST_CASE("a set that is current or ahead of its copies is used") {
  CHECK_FALSE(refused(head(5), {head(5), head(5)}));
  CHECK_FALSE(refused(head(6, 2), {head(5), head(4)}));
  CHECK_FALSE(refused(head(0), {}));
}

TEST_CASE("the id of an action has 32 hexadecimal digits") {
  ActionId id;
  for (std::size_t i = 0; i < id.bytes.size(); ++i) id.bytes[i] = static_cast<std::uint8_t>(17 * i);
  CHECK(text_of(id) == "00112233445566778899aabbccddeeff");
  CHECK(action_id_of(text_of(id)) == id);
  for (const char* const text :
       {"", "00", "00112233445566778899aabbccddeefg", "00112233445566778899AABBCCDDEEFF",
        "00112233445566778899aabbccddeeff0"})
    CHECK_FALSE(action_id_of(text));
}

// The bytes of stored revocations: only what the daemon wrote is believed.
#include "daemon/store/revocation_records.h"

#include "tests/support/catch.h"

namespace claimsd::store {
namespace {

constexpr Now kNow{BootTime(std::chrono::seconds(1000)),
                   WallTime(std::chrono::seconds(1'767'225'600))};

RevocationCodec codec(char key = 'k') {
  return {"boot-1", *crypto::HmacSha256::create(std::string(32, key))};
}

claims::Rule rule() {
  claims::Rule made{.key = {{}, 0},
                    .name = {claims::RuleKind::kToken, {}},
                    .made_at = kNow,
                    .ends = claims::end_after(kNow, std::chrono::hours(1)),
                    .actor_uid = 7};
  made.key.action.bytes[0] = 1;
  return made;
}

// Calls `is_accepted` with each value that differs from `value` in one byte.
template <class IsAccepted>
void check_each_byte(const std::string& value, IsAccepted&& is_accepted) {
  CHECK(is_accepted(value));
  for (std::size_t at = 0; at < value.size(); ++at) {
    std::string changed = value;
    changed[at] = static_cast<char>(changed[at] ^ 1);
    INFO("byte " << at << " of " << value.size());
    CHECK_FALSE(is_accepted(changed));
  }
  for (std::size_t size = 0; size < value.size(); ++size)
    CHECK_FALSE(is_accepted(value.substr(0, size)));
}

}  // namespace

TEST_CASE(
    "a stored revocation with one changed byte is not authentic, up to the last of its HMAC") {
  const std::string key = revocation_key(rule().key);
  check_each_byte(codec().encode(rule()), [&](const std::string& value) {
    return codec().decode_rule(key, value).has_value();
  });
}

TEST_CASE("a stored withdrawal with one changed byte is not authentic") {
  const claims::Withdrawal made{.action = rule().key.action,
                                .made_at = kNow,
                                .ends = claims::end_after(kNow, std::chrono::hours(1)),
                                .actor_uid = 8};
  check_each_byte(codec().encode(made), [&](const std::string& value) {
    return codec().decode_withdrawal(withdrawal_key(made.action), value).has_value();
  });
}

TEST_CASE("a stored head with one changed byte is not authentic") {
  SetState state{.sequence = 12, .records = 3};
  state.sum[5] = 9;
  check_each_byte(codec().encode(state), [&](const std::string& value) {
    return codec().decode_state(value).has_value();
  });
}

TEST_CASE("a stored revocation under another key, or of another host, is not authentic") {
  claims::Rule other = rule();
  other.key.part = 1;
  const std::string value = codec().encode(rule());
  CHECK_FALSE(codec().decode_rule(revocation_key(other.key), value));
  CHECK_FALSE(codec('x').decode_rule(revocation_key(rule().key), value));
}

}  // namespace claimsd::store

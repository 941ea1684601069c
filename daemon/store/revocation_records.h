// revocation_records.h: the bytes of the stored set of revocations.
//
// Keys and values in LMDB's main table, little-endian. Every value ends with an HMAC-SHA-256 over
// its key and the bytes before.
//
//   key                                 value
//   1  u8[16] action, u8 part           a rule: u16 version, sized boot id, u8 kind, u8[32] subject,
//                                       u32 actor uid, u8[16] author (zeros: this host alone has
//                                       it), eight i64 of nanoseconds: made_at wall and
//                                       boot, ends wall and boot, not_before, without_iat_ends wall
//                                       and boot, purged_until
//   2  u8[16] action                    a withdrawal: u16 version, sized boot id, u32 actor uid, u8[16]
//                                       author, four i64: made_at wall and boot, ends wall and boot
//   3                                   the head: u16 version, u64 sequence, u64 records, u8[32] sum
//
// The sum is the exclusive or of one HMAC for each rule and withdrawal, over its key and its stable
// fields: those that a reboot does not change. One thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "daemon/claims/revocation/rule.h"
#include "daemon/claims/revocation/set_head.h"
#include "daemon/crypto/hmac_sha256.h"

namespace claimsd::store {

inline constexpr std::uint16_t kRevocationVersion = 2;

// What the head states about the set.
struct SetState {
  std::uint64_t sequence = 0;
  std::uint64_t records = 0;
  crypto::HmacSha256::Digest sum{};

  // Adds a record, or removes it.
  void add(const crypto::HmacSha256::Digest& record);
  void remove(const crypto::HmacSha256::Digest& record);
  bool operator==(const SetState&) const = default;
};

std::string revocation_key(const claims::RuleKey& rule);
std::string withdrawal_key(const claims::ActionId& action);
std::string set_head_key();

enum class RecordKind : std::uint8_t { kRule = 1, kWithdrawal = 2, kHead = 3, kUnknown = 0 };
RecordKind kind_of_key(std::string_view key);

class RevocationCodec {
 public:
  RevocationCodec(std::string boot_id, crypto::HmacSha256 check)
      : boot_id_(std::move(boot_id)), check_(std::move(check)) {}

  std::string encode(const claims::Rule& rule);
  std::string encode(const claims::Withdrawal& withdrawal);
  std::string encode(const SetState& state);

  template <class T>
  struct Stored {
    T content;
    bool of_this_boot = true;  // otherwise its times are on another boot's clock
  };
  // Nothing if the record is not authentic.
  std::optional<Stored<claims::Rule>> decode_rule(std::string_view key, std::string_view value);
  std::optional<Stored<claims::Withdrawal>> decode_withdrawal(std::string_view key,
                                                              std::string_view value);
  std::optional<SetState> decode_state(std::string_view value);

  crypto::HmacSha256::Digest digest_of(const claims::Rule& rule);
  crypto::HmacSha256::Digest digest_of(const claims::Withdrawal& withdrawal);
  claims::SetHead head_of(const SetState& state);

 private:
  std::string with_check(const std::string& key, std::string value);
  std::optional<std::string_view> checked(std::string_view key, std::string_view value);

  std::string boot_id_;
  crypto::HmacSha256 check_;
};

}  // namespace claimsd::store

// claims_record.h: encodes an Entry as one value of the claims cache.
//
//   value       = format fresh_until box
//   format      = u32    kRecordFormat
//   fresh_until = i64    ns of CLOCK_BOOTTIME; in the clear, so that entries can be listed unopened
//   box         = Sealer's, bound to (token key, format, fresh_until), of:
//                 i64 confirmed_at, i64 expires_at, i64 issued_at, u16 flags, claims
//
// Integers are in native byte order, because no value leaves the host or outlives a boot.
// Move-only; one thread at a time.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "daemon/claims/entry.h"
#include "daemon/claims/parse/token.h"
#include "daemon/crypto/sealer.h"

namespace claimsd::store {

inline constexpr std::uint32_t kRecordFormat = 1;

// Large enough for any block on the wire (proto::kMaxClaimsBlock, 82 KiB).
inline constexpr std::size_t kMaxStoredClaims = 96 * 1024;

class ClaimsRecords {
 public:
  explicit ClaimsRecords(crypto::Sealer sealer);
  ~ClaimsRecords();
  ClaimsRecords(ClaimsRecords&&) = default;
  ClaimsRecords& operator=(ClaimsRecords&&) = delete;
  ClaimsRecords(const ClaimsRecords&) = delete;
  ClaimsRecords& operator=(const ClaimsRecords&) = delete;

  // Returns the encoded value, valid until the next call. Nothing if the claims are too large or
  // libcrypto fails. `entry.claims` may be what open() returned.
  std::optional<std::string_view> seal(const claims::TokenKey& key, const claims::Entry& entry);

  // Nothing if `value` was not sealed for `key`. The entry's claims point into this object and are
  // valid until the next call.
  std::optional<claims::Entry> open(const claims::TokenKey& key, std::string_view value);

  // Wipes the claims of the last calls. What open() returned is no longer valid.
  void wipe();

  // Checks the sizes only; decryption may still fail.
  static bool plausible(std::string_view key, std::string_view value);
  // Requires a plausible value. Not authenticated.
  static BootTime fresh_until(std::string_view value);

 private:
  crypto::Sealer sealer_;
  std::vector<char> plain_;  // holds the last claims
  std::size_t used_ = 0;     // bytes of it since it was wiped
  std::vector<char> value_;
};

}  // namespace claimsd::store

// claims_record.h: an Entry as the bytes of one value in the claims cache.
//
//   value  = format fresh_until box
//   format = u32          kRecordFormat
//   fresh_until = i64     nanoseconds of CLOCK_BOOTTIME, in the clear so that all can be listed
//   without opening any box    = Sealer's, bound to (token key, format, fresh_until), of: i64
//   confirmed_at, i64 expires_at, i64 issued_at, u16 flags, claims
//
// Integers in the machine's own order: no value leaves the host, or outlives a boot. One thread.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "daemon/claims/entry.h"
#include "daemon/claims/parse/token.h"
#include "daemon/crypto/sealer.h"

namespace claimsd::daemon {

inline constexpr std::uint32_t kRecordFormat = 1;

// Room for the largest block that the wire can carry (proto::kMaxClaimsBlock, 25 KiB).
inline constexpr std::size_t kMaxStoredClaims = 32 * 1024;

class ClaimsRecords {
 public:
  explicit ClaimsRecords(Sealer sealer);
  ~ClaimsRecords();
  ClaimsRecords(ClaimsRecords&&) = default;
  ClaimsRecords& operator=(ClaimsRecords&&) = delete;
  ClaimsRecords(const ClaimsRecords&) = delete;
  ClaimsRecords& operator=(const ClaimsRecords&) = delete;

  // The value; good until the next call. Nothing when the claims are too large or libcrypto fails.
  // `entry.claims` may be what open() returned.
  std::optional<std::string_view> seal(const TokenKey& key, const Entry& entry);

  // Nothing when `value` is not what was sealed for `key`. The entry's claims lie in here, and are
  // good until the next call.
  std::optional<Entry> open(const TokenKey& key, std::string_view value);

  // Whether it has the shape of a value. It may still not open.
  static bool plausible(std::string_view key, std::string_view value);
  // Of a plausible value; not authenticated.
  static BootTime fresh_until(std::string_view value);

 private:
  Sealer sealer_;
  std::vector<char> plain_;  // wiped at the end; until then it holds the claims last seen
  std::vector<char> value_;
};

}  // namespace claimsd::daemon

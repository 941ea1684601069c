// entry.h: one confirmed token, as stored in the cache.
//
// Times are absolute. `claims` is a claims block (proto/claims_block.h), borrowed from the cache
// that returned the entry.
#pragma once

#include <cstdint>
#include <string_view>

#include "daemon/base/clock.h"

namespace claimsd::claims {

struct Entry {
  BootTime confirmed_at;                  // start of the request that confirmed the token
  BootTime fresh_until;                   // end of its TTL
  WallTime expires_at = WallTime::max();  // the token's own `exp`; max: none
  WallTime issued_at = WallTime::min();   // the token's own `iat`; min: none
  std::uint16_t flags = 0;                // of proto::Answer
  std::string_view claims;
};

}  // namespace claimsd::claims

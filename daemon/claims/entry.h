// entry.h: one confirmed token, as the cache keeps it.
//
// Times are absolute. `claims` is a proto::ClaimsView block (proto/claims_block.h), a view into
// memory of whoever handed the Entry out.
#pragma once

#include <cstdint>
#include <string_view>

#include "daemon/base/clock.h"

namespace claimsd::daemon {

struct Entry {
  BootTime confirmed_at;                  // when the request to the Auth API started
  BootTime fresh_until;                   // end of the life given to it then
  WallTime expires_at = WallTime::max();  // the token's own `exp`; max: it has none
  WallTime issued_at = WallTime::min();   // the token's own `iat`; min: it has none
  std::uint16_t flags = 0;                // proto::kAnswerTrimmed
  std::string_view claims;
};

}  // namespace claimsd::daemon

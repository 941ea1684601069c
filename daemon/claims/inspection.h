// inspection.h: what an operator may see of a cached entry: its age, remaining TTL and state. Never
// the token; of the claims only the user's id. Plain values; loop thread.
#pragma once

#include <optional>
#include <string_view>

#include "daemon/claims/cache/negative_cache.h"
#include "daemon/claims/entry.h"

namespace claimsd::claims {

enum class EntryState : std::uint8_t {
  kFresh,    // answers queries
  kStale,    // answers queries only while the Auth API fails
  kEnded,    // expired; removed when its space is needed
  kPurged,   // purged: the next query goes to the Auth API
  kRevoked,  // revoked by an operator
};

constexpr std::string_view name_of(EntryState state) {
  switch (state) {
    case EntryState::kFresh: return "fresh";
    case EntryState::kStale: return "stale";
    case EntryState::kEnded: return "ended";
    case EntryState::kPurged: return "purged";
    case EntryState::kRevoked: return "revoked";
  }
  return "ended";
}

struct EntryDescription {
  TokenKey key;
  std::string_view user;  // the id claim; valid during the call
  EntryState state = EntryState::kEnded;
  Duration age{};                         // since the Auth API confirmed it
  Duration ttl_remaining{};               // remaining TTL; 0: none
  Duration lease_remaining{};             // of the published lease; 0: none
  WallTime expires_at = WallTime::max();  // the token's own `exp`
  WallTime issued_at = WallTime::min();
  bool truncated = false;  // the claims were too large to keep whole
};

// State of one token at one Auth API.
struct TokenFinding {
  UpstreamId upstream = 0;
  bool revoked = false;  // this token itself is revoked, not only its user
  std::optional<EntryDescription> entry;
  std::optional<NegativeCache::Rejection> rejection;
  bool in_flight = false;  // a request is in flight
};

}  // namespace claimsd::claims

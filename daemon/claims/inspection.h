// inspection.h: what the service knows of its entries, for an operator who looks: how old they are,
// how long they will last, whether they would be believed. Never the token, and of the claims the
// user's id alone. Plain values; loop thread.
#pragma once

#include <optional>
#include <string_view>

#include "daemon/claims/cache/negative.h"
#include "daemon/claims/entry.h"

namespace claimsd::daemon {

enum class EntryState : std::uint8_t {
  kFresh,    // answers
  kStale,    // answers while the Auth API cannot say
  kEnded,    // answers nobody; goes when its place is needed
  kPurged,   // was purged: the next question asks the Auth API
  kRevoked,  // an operator denies it
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
  std::string_view user;  // the id claim; readable during the call
  EntryState state = EntryState::kEnded;
  Duration age{};                         // since the Auth API confirmed it
  Duration left{};                        // 0: nothing
  Duration lease_left{};                  // of what workers are shown; 0: nothing is
  WallTime expires_at = WallTime::max();  // the token's own
  WallTime issued_at = WallTime::min();
  bool trimmed = false;  // its claims were too large to keep whole
};

// What is known of one token at one Auth API.
struct TokenFinding {
  UpstreamId upstream = 0;
  bool revoked = false;  // this token itself, by an order
  std::optional<EntryDescription> entry;
  std::optional<NegativeEntries::Refusal> refusal;
  bool in_flight = false;  // it is being asked about
};

}  // namespace claimsd::daemon

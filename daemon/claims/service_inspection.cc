// What operators may see of the entries. Read-only: sets no eviction marks and publishes no leases.
// Part of ClaimsService (service.h).
#include <algorithm>

#include "daemon/claims/service.h"
#include "proto/claims_block.h"
#include "proto/messages.h"

namespace claimsd::daemon {
namespace {

EntryState state_of(Freshness freshness) {
  if (is_usable(freshness)) return EntryState::kFresh;
  return freshness == Freshness::kStaleUsable ? EntryState::kStale : EntryState::kEnded;
}

}  // namespace

// An entry does not record its Auth API; only its key depends on it. If `upstream` is unknown, the
// entry counts as revoked or purged only if it is so at every Auth API.
EntryDescription ClaimsService::describe(const TokenKey& key, const Entry& entry,
                                         std::optional<UpstreamId> upstream, const Now& now) const {
  proto::ClaimsView claims;
  if (!proto::decode_claims(entry.claims, claims)) claims = {};
  const auto taken_back = [&](const auto& is_taken_back) {
    if (upstream) return is_taken_back(*upstream);
    for (std::size_t at = 0; at < upstreams_.size(); ++at) {
      if (!is_taken_back(static_cast<UpstreamId>(at))) return false;
    }
    return true;
  };
  EntryDescription described{
      .key = key,
      .user = claims.id,
      .state = state_of(freshness_of(entry, now, policy_.life, std::nullopt)),
      .age = now.boot - entry.confirmed_at,
      .left = std::max(Duration(0), time_left(entry, now, policy_.life)),
      .expires_at = entry.expires_at,
      .issued_at = entry.issued_at,
      .trimmed = (entry.flags & proto::kAnswerTrimmed) != 0};
  if (const BootTime shown = world_.publisher.shown_until(key); shown > now.boot)
    described.lease_left = shown - now.boot;
  if (taken_back([&](UpstreamId of) {
        return guard_.denies_claims(of, entry.claims, entry.issued_at, now);
      })) {
    described.state = EntryState::kRevoked;
  } else if (taken_back([&](UpstreamId of) {
               return guard_.forgets(of, entry.claims, entry.confirmed_at);
             })) {
    described.state = EntryState::kPurged;
  }
  return described;
}

std::optional<TokenKey> ClaimsService::inspect(
    const std::optional<TokenKey>& after, std::size_t most,
    const std::function<void(const EntryDescription&)>& visit) {
  const Now now = world_.clock.now();
  const std::optional<UpstreamId> only =
      upstreams_.size() == 1 ? std::optional<UpstreamId>(0) : std::nullopt;
  return world_.cache.scan(after, most, [&](const TokenKey& key, const Entry& entry) {
    // Entries that the sieve does not list are ignored everywhere, so they are not shown.
    if (sieve_.holds(key)) visit(describe(key, entry, only, now));
  });
}

void ClaimsService::inspect_token(std::string_view token,
                                  const std::function<void(const TokenFinding&)>& visit) {
  const Now now = world_.clock.now();
  for (std::size_t at = 0; at < upstreams_.size(); ++at) {
    TokenFinding finding{.upstream = static_cast<UpstreamId>(at)};
    const TokenKey key = world_.keyer.key_of(finding.upstream, token);
    finding.revoked = guard_.denies_token(token, now);
    finding.refusal = negatives_.find(key, now.boot);
    finding.in_flight = flights_.find(key) != nullptr;
    const std::optional<Entry> entry =
        sieve_.holds(key) ? world_.cache.find(key) : std::optional<Entry>();
    if (entry) finding.entry = describe(key, *entry, finding.upstream, now);
    visit(finding);
  }
}

}  // namespace claimsd::daemon

// What operators may see of the entries. Read-only: sets no eviction marks and publishes no leases.
// Part of ClaimsService (service.h).
#include <algorithm>

#include "daemon/claims/service.h"
#include "proto/claims_block.h"
#include "proto/messages.h"

namespace claimsd::claims {
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
  const auto revoked = [&](const auto& is_revoked) {
    if (upstream) return is_revoked(*upstream);
    for (std::size_t at = 0; at < upstreams_.size(); ++at) {
      if (!is_revoked(static_cast<UpstreamId>(at))) return false;
    }
    return true;
  };
  EntryDescription described{
      .key = key,
      .user = claims.id,
      .state = state_of(freshness_of(entry, now, policy_.ttl, std::nullopt)),
      .age = now.boot - entry.confirmed_at,
      .ttl_remaining = std::max(Duration(0), ttl_remaining(entry, now, policy_.ttl)),
      .expires_at = entry.expires_at,
      .issued_at = entry.issued_at,
      .truncated = (entry.flags & proto::kAnswerTruncated) != 0};
  if (const BootTime shown = deps_.publisher.published_until(key); shown > now.boot)
    described.lease_remaining = shown - now.boot;
  if (revoked([&](UpstreamId of) {
        return guard_.invalidates_claims(of, entry.claims, entry.issued_at, now);
      })) {
    described.state = EntryState::kRevoked;
  } else if (revoked([&](UpstreamId of) {
               return guard_.is_purged(of, entry.claims, entry.confirmed_at);
             })) {
    described.state = EntryState::kPurged;
  }
  return described;
}

std::optional<TokenKey> ClaimsService::inspect(
    const std::optional<TokenKey>& after, std::size_t most,
    const std::function<void(const EntryDescription&)>& visit) {
  const Now now = deps_.clock.now();
  const std::optional<UpstreamId> only =
      upstreams_.size() == 1 ? std::optional<UpstreamId>(0) : std::nullopt;
  return deps_.cache.scan(after, most, [&](const TokenKey& key, const Entry& entry) {
    // Entries that the sieve does not list are ignored everywhere, so they are not shown.
    if (sieve_.holds(key)) visit(describe(key, entry, only, now));
  });
}

void ClaimsService::inspect_token(std::string_view token,
                                  const std::function<void(const TokenFinding&)>& visit) {
  const Now now = deps_.clock.now();
  for (std::size_t at = 0; at < upstreams_.size(); ++at) {
    TokenFinding finding{.upstream = static_cast<UpstreamId>(at)};
    const TokenKey key = deps_.keyer.key_of(finding.upstream, token);
    finding.revoked = guard_.invalidates_token(token, now);
    finding.rejection = negative_cache_.find(key, now.boot);
    finding.in_flight = flights_.find(key) != nullptr;
    const std::optional<Entry> entry =
        sieve_.holds(key) ? deps_.cache.find(key) : std::optional<Entry>();
    if (entry) finding.entry = describe(key, *entry, finding.upstream, now);
    visit(finding);
  }
}

}  // namespace claimsd::claims

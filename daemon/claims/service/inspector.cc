#include "daemon/claims/service/inspector.h"

#include <algorithm>

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
EntryDescription Inspector::describe(const TokenKey& key, const Entry& entry,
                                     std::optional<UpstreamId> upstream) const {
  const Now& now = deps_.now;
  proto::ClaimsView claims;
  if (!proto::decode_claims(entry.claims, claims)) claims = {};
  const auto revoked = [&](const auto& is_revoked) {
    if (upstream) return is_revoked(*upstream);
    for (std::size_t at = 0; at < deps_.policy.upstreams.size(); ++at) {
      if (!is_revoked(static_cast<UpstreamId>(at))) return false;
    }
    return true;
  };
  EntryDescription described{
      .key = key,
      .user = claims.id,
      .state = state_of(freshness_of(entry, now, deps_.policy.ttl, std::nullopt)),
      .age = now.boot - entry.confirmed_at,
      .ttl_remaining = std::max(Duration(0), ttl_remaining(entry, now, deps_.policy.ttl)),
      .expires_at = entry.expires_at,
      .issued_at = entry.issued_at,
      .truncated = (entry.flags & proto::kAnswerTruncated) != 0};
  if (const BootTime shown = deps_.publisher.published_until(key); shown > now.boot)
    described.lease_remaining = shown - now.boot;
  if (revoked([&](UpstreamId of) {
        return deps_.guard.invalidates_claims(of, entry.claims, entry.issued_at, now);
      })) {
    described.state = EntryState::kRevoked;
  } else if (revoked([&](UpstreamId of) {
               return deps_.guard.is_purged(of, entry.claims, entry.confirmed_at);
             })) {
    described.state = EntryState::kPurged;
  }
  return described;
}

std::optional<TokenKey> Inspector::each(const std::optional<TokenKey>& after, std::size_t most,
                                        const std::function<void(const EntryDescription&)>& visit) {
  const std::optional<UpstreamId> only =
      deps_.policy.upstreams.size() == 1 ? std::optional<UpstreamId>(0) : std::nullopt;
  return deps_.cache.scan(after, most, [&](const TokenKey& key, const Entry& entry) {
    visit(describe(key, entry, only));
  });
}

void Inspector::each_finding(std::string_view token,
                             const std::function<void(const TokenFinding&)>& visit) {
  for (std::size_t at = 0; at < deps_.policy.upstreams.size(); ++at) {
    TokenFinding finding{.upstream = static_cast<UpstreamId>(at)};
    const TokenKey key = deps_.keyer.key_of(finding.upstream, token);
    finding.revoked = deps_.guard.invalidates_token(token, deps_.now);
    finding.rejection = deps_.cache.negative().find(key, deps_.now.boot);
    finding.in_flight = deps_.upstreams.in_flight(key);
    const std::optional<Entry> entry = deps_.cache.peek(key);
    if (entry) finding.entry = describe(key, *entry, finding.upstream);
    visit(finding);
  }
}

}  // namespace claimsd::claims

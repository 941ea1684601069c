#include "daemon/claims/revocation/revocation_guard.h"

#include "daemon/claims/parse/token_name.h"
#include "proto/claims_block.h"

namespace claimsd::claims {

Fingerprint RevocationGuard::fingerprint_of(std::string_view token) const {
  return fingerprinter_.of_token(TokenName(token).text());
}

bool RevocationGuard::invalidates_token(std::string_view token, const Now& now) const {
  return rules_.has_token_rules() && rules_.invalidates_token(fingerprint_of(token), now);
}

bool RevocationGuard::invalidates_claims(UpstreamId upstream, std::string_view claims,
                                         WallTime issued_at, const Now& now) const {
  if (!rules_.has_user_rules()) return false;
  const std::optional<Fingerprint> user = user_of(upstream, claims);
  return !user || rules_.invalidates_user(*user, issued_at, now);
}

bool RevocationGuard::is_purged(UpstreamId upstream, std::string_view claims,
                                BootTime confirmed_at) const {
  if (!rules_.has_user_rules()) return false;
  const std::optional<Fingerprint> user = user_of(upstream, claims);
  return !user || rules_.is_purged(*user, confirmed_at);
}

std::optional<Fingerprint> RevocationGuard::user_of(UpstreamId upstream,
                                                    std::string_view claims) const {
  proto::ClaimsView view;
  if (!proto::decode_claims(claims, view)) return std::nullopt;
  return fingerprinter_.of_user(upstream, view.id);
}

}  // namespace claimsd::claims

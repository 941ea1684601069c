#include "daemon/claims/revocation/revocation_guard.h"

#include "daemon/claims/parse/token_name.h"
#include "proto/claims_block.h"

namespace claimsd::claims {

Fingerprint RevocationGuard::fingerprint_of(std::string_view token) const {
  return fingerprinter_.of_token(TokenName(token).text());
}

bool RevocationGuard::invalidates_token(std::string_view token, const Now& now) const {
  if (!rules_.has_token_rules()) return false;
  const TokenName name(token);
  if (rules_.invalidates_token(fingerprinter_.of_token(name.text()), now)) return true;
  return host_ != nullptr && rules_.has_host_rules() &&
         rules_.invalidates_token(host_->of_token(name.text()), now);
}

// Whether it applies to the user under one of the fingerprints. An undecodable block: always.
template <class Applies>
bool RevocationGuard::any_of_user(UpstreamId upstream, std::string_view claims,
                                  Applies&& applies) const {
  if (!rules_.has_user_rules()) return false;
  proto::ClaimsView view;
  if (!proto::decode_claims(claims, view)) return true;
  if (applies(fingerprinter_.of_user(upstream, view.id))) return true;
  return host_ != nullptr && rules_.has_host_rules() && applies(host_->of_user(upstream, view.id));
}

bool RevocationGuard::invalidates_claims(UpstreamId upstream, std::string_view claims,
                                         WallTime issued_at, const Now& now) const {
  return any_of_user(upstream, claims, [&](const Fingerprint& user) {
    return rules_.invalidates_user(user, issued_at, now);
  });
}

bool RevocationGuard::is_purged(UpstreamId upstream, std::string_view claims,
                                BootTime confirmed_at) const {
  return any_of_user(upstream, claims,
                     [&](const Fingerprint& user) { return rules_.is_purged(user, confirmed_at); });
}

}  // namespace claimsd::claims

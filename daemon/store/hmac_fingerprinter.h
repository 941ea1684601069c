// hmac_fingerprinter.h: the production Fingerprinter: HMAC-SHA-256 of the name of a token, or of a user id
// within an Auth API *name*. Each uses its own key derived from the revocation key. A revocation
// rule therefore survives any change to an upstream's configuration except a new name. Loop thread.
#pragma once

#include <string>
#include <vector>

#include "daemon/claims/revocation/revocations.h"
#include "daemon/crypto/hmac_sha256.h"

namespace claimsd::store {

class HmacFingerprinter final : public claims::Fingerprinter {
 public:
  // `upstreams`: names, indexed by UpstreamId.
  static Result<HmacFingerprinter> create(const Secret& key,
                                          const std::vector<std::string>& upstreams);

  claims::Fingerprint of_token(std::string_view name) override { return {token_.finish(name)}; }
  claims::Fingerprint of_user(claims::UpstreamId upstream, std::string_view user) override;

 private:
  HmacFingerprinter(crypto::HmacSha256 token, std::vector<crypto::HmacSha256> users)
      : token_(std::move(token)), users_(std::move(users)) {}

  crypto::HmacSha256 token_;
  std::vector<crypto::HmacSha256> users_;
};

}  // namespace claimsd::store

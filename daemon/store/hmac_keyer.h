// hmac_keyer.h: the production Keyer. TokenKey = HMAC-SHA-256(key, u32 size of scope, scope,
// token); the size is little-endian.
//
// A scope holds everything about an upstream that an answer depends on: its URL, claim names and
// rejection statuses. Two upstreams, or one before and after a configuration change, therefore
// never share an entry. There is one scope per UpstreamId, in order. The key comes from the claims
// cache's environment and changes with every boot. Loop thread.
#pragma once

#include <string>
#include <vector>

#include "daemon/claims/ports.h"
#include "daemon/crypto/hmac_sha256.h"

namespace claimsd::store {

class HmacKeyer final : public claims::Keyer {
 public:
  static Result<HmacKeyer> create(const Secret& key, const std::vector<std::string>& scopes);

  // Aborts if the UpstreamId has no scope, rather than return a key with another meaning.
  claims::TokenKey key_of(claims::UpstreamId upstream, std::string_view token) override;

 private:
  explicit HmacKeyer(std::vector<crypto::HmacSha256> scoped) : scoped_(std::move(scoped)) {}

  std::vector<crypto::HmacSha256> scoped_;
};

}  // namespace claimsd::store

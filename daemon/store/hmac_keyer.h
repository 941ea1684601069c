// hmac_keyer.h: the real Keyer. TokenKey = HMAC-SHA-256(key, u32 size of scope, scope, token), the
// size little-endian.
//
// A scope says everything about an upstream that an answer depends on (its URL, the names of its
// claims, its refusal statuses): two upstreams, or one after a change of configuration, never share
// an entry. One for each UpstreamId, in order. The key comes from the claims cache's environment,
// which is made anew with every boot. Loop thread.
#pragma once

#include <string>
#include <vector>

#include "daemon/claims/ports.h"
#include "daemon/crypto/hmac_sha256.h"

namespace claimsd::daemon {

class HmacKeyer final : public Keyer {
 public:
  static Result<HmacKeyer> create(const Secret& key, const std::vector<std::string>& scopes);

  // Aborts for an UpstreamId without a scope: a key that means something else must not come of it.
  TokenKey key_of(UpstreamId upstream, std::string_view token) override;

 private:
  explicit HmacKeyer(std::vector<HmacSha256> scoped) : scoped_(std::move(scoped)) {}

  std::vector<HmacSha256> scoped_;
};

}  // namespace claimsd::daemon

#include "daemon/store/hmac_fingerprinter.h"

#include <cstdlib>

namespace claimsd::store {

Result<HmacFingerprinter> HmacFingerprinter::create(const Secret& key,
                                                    const std::vector<std::string>& upstreams) {
  const Secret token_key = TRY(crypto::derive_key(key, "claimsd revocation token", ""));
  crypto::HmacSha256 token = TRY(crypto::HmacSha256::create(token_key.view()));
  std::vector<crypto::HmacSha256> users;
  for (const std::string& name : upstreams) {
    const Secret user_key = TRY(crypto::derive_key(key, "claimsd revocation user", name));
    users.push_back(TRY(crypto::HmacSha256::create(user_key.view())));
  }
  return HmacFingerprinter(std::move(token), std::move(users));
}

claims::Fingerprint HmacFingerprinter::of_user(claims::UpstreamId upstream, std::string_view user) {
  if (upstream >= users_.size()) std::abort();
  return {users_[upstream].finish(user)};
}

}  // namespace claimsd::store

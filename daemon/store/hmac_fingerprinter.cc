#include "daemon/store/hmac_fingerprinter.h"

#include <cstdlib>

namespace claimsd::daemon {

Result<HmacFingerprinter> HmacFingerprinter::create(const Secret& key,
                                                    const std::vector<std::string>& upstreams) {
  const Secret token_key = TRY(derive_key(key, "claimsd revocation token", ""));
  HmacSha256 token = TRY(HmacSha256::create(token_key.view()));
  std::vector<HmacSha256> users;
  for (const std::string& name : upstreams) {
    const Secret user_key = TRY(derive_key(key, "claimsd revocation user", name));
    users.push_back(TRY(HmacSha256::create(user_key.view())));
  }
  return HmacFingerprinter(std::move(token), std::move(users));
}

Fingerprint HmacFingerprinter::of_user(UpstreamId upstream, std::string_view user) {
  if (upstream >= users_.size()) std::abort();
  return {users_[upstream].finish(user)};
}

}  // namespace claimsd::daemon

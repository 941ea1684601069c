#include "daemon/store/hmac_keyer.h"

#include <cstdlib>

namespace claimsd::store {
namespace {

// The size prefix separates (scope "a", token "bc") from (scope "ab", token "c").
void absorb_scope(crypto::HmacSha256& hmac, std::string_view scope) {
  std::array<char, 4> size{};
  for (std::size_t i = 0; i < size.size(); ++i) {
    size[i] = static_cast<char>((scope.size() >> (8 * i)) & 0xff);
  }
  hmac.absorb({size.data(), size.size()});
  hmac.absorb(scope);
}

}  // namespace

Result<HmacKeyer> HmacKeyer::create(const Secret& key, const std::vector<std::string>& scopes) {
  std::vector<crypto::HmacSha256> scoped;
  scoped.reserve(scopes.size());
  for (const std::string& scope : scopes) {
    scoped.push_back(TRY(crypto::HmacSha256::create(key.view())));
    absorb_scope(scoped.back(), scope);
  }
  return HmacKeyer(std::move(scoped));
}

claims::TokenKey HmacKeyer::key_of(claims::UpstreamId upstream, std::string_view token) {
  if (upstream >= scoped_.size()) std::abort();
  return claims::TokenKey{scoped_[upstream].finish(token)};
}

}  // namespace claimsd::store

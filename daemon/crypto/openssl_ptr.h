// openssl_ptr.h: owning pointers for libcrypto objects.
//
// Fetch algorithms once and keep them: an implicit fetch costs at least 0.2 µs per use (crypto(7),
// "ALGORITHM FETCHING"). The free functions wipe the state.
#pragma once

#include <openssl/evp.h>

#include <memory>

namespace claimsd::crypto {

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

}  // namespace claimsd::crypto

#include "daemon/crypto/ed25519.h"

#include <cstdlib>

#include "daemon/crypto/openssl_ptr.h"

namespace claimsd::crypto {
namespace {

const unsigned char* data_of(std::string_view bytes) {
  return reinterpret_cast<const unsigned char*>(bytes.data());
}

EvpPkeyPtr private_key(const Secret& key) {
  EvpPkeyPtr made(EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr, data_of(key.view()),
                                               key.view().size()));
  if (!made) std::abort();
  return made;
}

}  // namespace

std::string ed25519_public(const Secret& key) {
  const EvpPkeyPtr pair = private_key(key);
  std::string out(kEd25519Key, '\0');
  std::size_t size = out.size();
  if (EVP_PKEY_get_raw_public_key(pair.get(), reinterpret_cast<unsigned char*>(out.data()),
                                  &size) != 1) {
    std::abort();
  }
  return out;
}

std::string ed25519_sign(const Secret& key, std::string_view message) {
  const EvpPkeyPtr pair = private_key(key);
  const EvpMdCtxPtr context(EVP_MD_CTX_new());
  std::string out(kEd25519Signature, '\0');
  std::size_t size = out.size();
  if (!context || EVP_DigestSignInit(context.get(), nullptr, nullptr, nullptr, pair.get()) != 1 ||
      EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(out.data()), &size,
                     data_of(message), message.size()) != 1) {
    std::abort();
  }
  return out;
}

bool ed25519_verify(std::string_view public_key, std::string_view message,
                    std::string_view signature) {
  const EvpPkeyPtr key(EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, data_of(public_key),
                                                   public_key.size()));
  const EvpMdCtxPtr context(EVP_MD_CTX_new());
  return key && context &&
         EVP_DigestVerifyInit(context.get(), nullptr, nullptr, nullptr, key.get()) == 1 &&
         EVP_DigestVerify(context.get(), data_of(signature), signature.size(), data_of(message),
                          message.size()) == 1;
}

}  // namespace claimsd::crypto

#include "proto/sealing_primitives.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/provider.h>

#include <cstring>

namespace claimsd::proto {
namespace {

// Whether `name` is the first of these colon-separated names, which is the one EVP uses.
bool begins_with_name(const char* names, const char* name) {
  const std::size_t size = std::strlen(name);
  return std::strncmp(names, name, size) == 0 && (names[size] == '\0' || names[size] == ':');
}

// The functions of a fetched algorithm of this provider; null if the provider hides them.
const OSSL_DISPATCH* functions_of(const OSSL_PROVIDER* provider, int operation, const char* name) {
  int no_cache = 0;
  const OSSL_ALGORITHM* const algorithms =
      OSSL_PROVIDER_query_operation(provider, operation, &no_cache);
  const OSSL_DISPATCH* found = nullptr;
  for (const auto* at = algorithms; at != nullptr && at->algorithm_names != nullptr; ++at) {
    if (found == nullptr && begins_with_name(at->algorithm_names, name)) found = at->implementation;
  }
  OSSL_PROVIDER_unquery_operation(provider, operation, algorithms);
  return found;
}

const unsigned char* bytes_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

}  // namespace

bool Sha256::open() {
  close();
  fetched_ = EVP_MD_fetch(nullptr, "SHA2-256", nullptr);
  if (fetched_ != nullptr && find_functions()) return true;
  close();
  return false;
}

bool Sha256::find_functions() {
  const OSSL_PROVIDER* const provider = EVP_MD_get0_provider(fetched_);
  const OSSL_DISPATCH* at = functions_of(provider, OSSL_OP_DIGEST, EVP_MD_get0_name(fetched_));
  OSSL_FUNC_digest_newctx_fn* make = nullptr;
  for (; at != nullptr && at->function_id != 0; ++at) {
    switch (at->function_id) {
      case OSSL_FUNC_DIGEST_NEWCTX: make = OSSL_FUNC_digest_newctx(at); break;
      case OSSL_FUNC_DIGEST_INIT: init_ = OSSL_FUNC_digest_init(at); break;
      case OSSL_FUNC_DIGEST_UPDATE: update_ = OSSL_FUNC_digest_update(at); break;
      case OSSL_FUNC_DIGEST_FINAL: final_ = OSSL_FUNC_digest_final(at); break;
      case OSSL_FUNC_DIGEST_FREECTX: free_ = OSSL_FUNC_digest_freectx(at); break;
      default: break;
    }
  }
  if (make == nullptr || init_ == nullptr || update_ == nullptr || final_ == nullptr ||
      free_ == nullptr) {
    return false;
  }
  context_ = make(OSSL_PROVIDER_get0_provider_ctx(provider));
  return context_ != nullptr;
}

void Sha256::close() {
  if (context_ != nullptr) free_(context_);
  EVP_MD_free(fetched_);
  context_ = nullptr;
  fetched_ = nullptr;
}

bool Sha256::digest(std::initializer_list<std::string_view> parts, unsigned char* out) {
  bool done = init_(context_, nullptr) == 1;
  for (const std::string_view part : parts) {
    if (!part.empty()) done = done && update_(context_, bytes_of(part), part.size()) == 1;
  }
  std::size_t size = 0;
  done = done && final_(context_, out, &size, kSize) == 1;
  // Reset the context: it still holds the digest, which may be a key.
  return init_(context_, nullptr) == 1 && done;
}

bool Aes256Gcm::open() {
  close();
  fetched_ = EVP_CIPHER_fetch(nullptr, "AES-256-GCM", nullptr);
  if (fetched_ != nullptr && find_functions()) return true;
  close();
  return false;
}

bool Aes256Gcm::find_functions() {
  const OSSL_PROVIDER* const provider = EVP_CIPHER_get0_provider(fetched_);
  const OSSL_DISPATCH* at = functions_of(provider, OSSL_OP_CIPHER, EVP_CIPHER_get0_name(fetched_));
  OSSL_FUNC_cipher_newctx_fn* make = nullptr;
  for (; at != nullptr && at->function_id != 0; ++at) {
    switch (at->function_id) {
      case OSSL_FUNC_CIPHER_NEWCTX: make = OSSL_FUNC_cipher_newctx(at); break;
      case OSSL_FUNC_CIPHER_ENCRYPT_INIT: encrypt_init_ = OSSL_FUNC_cipher_encrypt_init(at); break;
      case OSSL_FUNC_CIPHER_DECRYPT_INIT: decrypt_init_ = OSSL_FUNC_cipher_decrypt_init(at); break;
      case OSSL_FUNC_CIPHER_UPDATE: update_ = OSSL_FUNC_cipher_update(at); break;
      case OSSL_FUNC_CIPHER_FINAL: final_ = OSSL_FUNC_cipher_final(at); break;
      case OSSL_FUNC_CIPHER_GET_CTX_PARAMS:
        get_params_ = OSSL_FUNC_cipher_get_ctx_params(at);
        break;
      case OSSL_FUNC_CIPHER_FREECTX: free_ = OSSL_FUNC_cipher_freectx(at); break;
      default: break;
    }
  }
  if (make == nullptr || encrypt_init_ == nullptr || decrypt_init_ == nullptr ||
      update_ == nullptr || final_ == nullptr || get_params_ == nullptr || free_ == nullptr) {
    return false;
  }
  context_ = make(OSSL_PROVIDER_get0_provider_ctx(provider));
  return context_ != nullptr;
}

void Aes256Gcm::close() {
  if (context_ != nullptr) free_(context_);
  EVP_CIPHER_free(fetched_);
  context_ = nullptr;
  fetched_ = nullptr;
}

// The first call has no output: it authenticates `clear` as associated data.
bool Aes256Gcm::run(std::string_view clear, std::string_view text, void* out) {
  auto* const to = static_cast<unsigned char*>(out);
  std::size_t size = 0;
  return update_(context_, nullptr, &size, clear.size(), bytes_of(clear), clear.size()) == 1 &&
         update_(context_, to, &size, text.size(), bytes_of(text), text.size()) == 1 &&
         size == text.size() && final_(context_, to + size, &size, 0) == 1;
}

bool Aes256Gcm::encrypt(const Key& key, const Nonce& nonce, std::string_view clear,
                        std::string_view plain, void* cipher, void* tag) {
  std::array<OSSL_PARAM, 2> wanted = {
      OSSL_PARAM_construct_octet_string(OSSL_CIPHER_PARAM_AEAD_TAG, tag, kTagSize),
      OSSL_PARAM_construct_end()};
  return encrypt_init_(context_, key.data(), key.size(), nonce.data(), nonce.size(), nullptr) ==
             1 &&
         run(clear, plain, cipher) && get_params_(context_, wanted.data()) == 1;
}

bool Aes256Gcm::decrypt(const Key& key, const Nonce& nonce, std::string_view clear,
                        std::string_view cipher, const void* tag, void* plain) {
  // libcrypto does not write to it.
  const std::array<OSSL_PARAM, 2> expected = {
      OSSL_PARAM_construct_octet_string(OSSL_CIPHER_PARAM_AEAD_TAG, const_cast<void*>(tag),
                                        kTagSize),
      OSSL_PARAM_construct_end()};
  return decrypt_init_(context_, key.data(), key.size(), nonce.data(), nonce.size(),
                       expected.data()) == 1 &&
         run(clear, cipher, plain);
}

}  // namespace claimsd::proto

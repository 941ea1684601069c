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

using AuditLink = std::array<std::uint8_t, 32>;

inline std::string_view bytes_of(const AuditLink& link) {
  return {reinterpret_cast<const char*>(link.data()), link.size()};
}

class AuditHasher {
 public:
  static Result<AuditHasher> create();
  AuditHasher(AuditHasher&&) noexcept;
  AuditHasher& operator=(AuditHasher&&) noexcept;
  AuditHasher(const AuditHasher&) = delete;
  AuditHasher& operator=(const AuditHasher&) = delete;
  ~AuditHasher();

  AuditLink first(std::string_view origin);
  AuditLink next(const AuditLink& before, std::string_view record);

 private:
  struct State;
  explicit AuditHasher(std::unique_ptr<State> state);
  AuditLink hash(std::string_view one, std::string_view two);
  std::unique_ptr<State> state_;
};

// Fingerprints tokens under a key derived from the host key. The same token has the same
// fingerprint until the host key changes. Without the key a fingerprint can neither be reversed nor
// used to test a guess.
class AuditFingerprinter {
 public:
  static Result<AuditFingerprinter> create(const Secret& host_key);

  AuditFingerprint of(std::string_view token);

 private:
  explicit AuditFingerprinter(crypto::HmacSha256 keyed) : keyed_(std::move(keyed)) {}

  crypto::HmacSha256 keyed_;
};

}  // namespace claimsd::audit

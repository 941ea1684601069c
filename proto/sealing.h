// sealing.h: the cryptography of the map's slots: from a token to its place and its key, and what
// lies there sealed under that key.
//
// One-step key derivation with SHA-256 (NIST SP 800-56C rev. 2, section 4.1, option 1; the token is
// the shared secret) and AES-256-GCM (SP 800-38D). A worker can open exactly the slots whose tokens
// it holds. SHM.md has the reasoning.
//
// A Sealer is cheap to use, one thread at a time, not to be used across fork() while an operation
// runs. No exceptions, no libstdc++ at run time: open() tells whether it can be used.
#pragma once

#include <string_view>

#include "proto/sealing_primitives.h"
#include "proto/shm_layout.h"

namespace claimsd::proto {

// Of one token in one map. Wiped when it goes.
struct SlotSecret {
  std::array<std::uint64_t, 2> index{};  // where to look, and what to find there
  Aes256Gcm::Key key{};

  SlotSecret() = default;
  ~SlotSecret() { wipe(); }
  SlotSecret(const SlotSecret&) = delete;
  SlotSecret& operator=(const SlotSecret&) = delete;
  void wipe();
};

class Sealer {
 public:
  // False where libcrypto cannot provide SHA-256 or AES-256-GCM; nothing else may be called then.
  bool open() { return sha256_.open() && aes_gcm_.open(); }
  bool is_open() const { return sha256_.is_open() && aes_gcm_.is_open(); }

  // key = SHA-256(1, token, map id, upstream); index = the first half of SHA-256(2, key).
  // False, with `out` wiped, when libcrypto fails.
  bool derive(const MapId& map_id, std::uint16_t upstream, std::string_view token, SlotSecret& out);

  // Encrypts `claims`, in whole blocks, into a slot whose clear words are filled in. False when it
  // does not fit.
  bool seal(const SlotSecret& secret, std::string_view claims, SlotCopy& slot);

  // Checks a copied slot and decrypts it to `out` (kMaxSlotClaims bytes). Gives the claims' size,
  // or 0 when anything in the slot is not what was sealed.
  std::size_t unseal(const SlotSecret& secret, const SlotCopy& slot, char* out);

 private:
  Sha256 sha256_;
  Aes256Gcm aes_gcm_;
};

}  // namespace claimsd::proto

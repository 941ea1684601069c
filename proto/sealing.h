// sealing.h: the cryptography of map slots: derives a slot's position and key from a token, and
// seals and opens its content.
//
// One-step key derivation with SHA-256 (NIST SP 800-56C rev. 2, section 4.1, option 1; the token is
// the shared secret) and AES-256-GCM (SP 800-38D). A worker can open exactly the slots whose tokens
// it holds. SHM.md gives the rationale.
//
// A Sealer is used by one thread at a time, and not across fork() while an operation runs. No
// exceptions, no libstdc++ at run time: open() reports errors.
#pragma once

#include <string_view>

#include "proto/sealing_primitives.h"
#include "proto/shm_layout.h"

namespace claimsd::proto {

// Position and key of one token in one map. Wiped on destruction.
struct SlotSecret {
  std::array<std::uint64_t, 2> index{};  // determines the set and identifies the slot
  Aes256Gcm::Key key{};

  SlotSecret() = default;
  ~SlotSecret() { wipe(); }
  SlotSecret(const SlotSecret&) = delete;
  SlotSecret& operator=(const SlotSecret&) = delete;
  void wipe();
};

class Sealer {
 public:
  // False if libcrypto lacks SHA-256 or AES-256-GCM; then nothing else may be called.
  bool open() { return sha256_.open() && aes_gcm_.open(); }
  bool is_open() const { return sha256_.is_open() && aes_gcm_.is_open(); }

  // key = SHA-256(1, token, map id, upstream); index = the first half of SHA-256(2, key). False,
  // with `out` wiped, if libcrypto fails.
  bool derive(const MapId& map_id, std::uint16_t upstream, std::string_view token, SlotSecret& out);

  // Encrypts `claims`, padded to whole blocks, into a slot whose clear words are filled in. False
  // if they do not fit.
  bool seal(const SlotSecret& secret, std::string_view claims, SlotCopy& slot);

  // Authenticates a copied slot and decrypts it to `out` (kMaxSlotClaims bytes). Returns the size
  // of the claims, or 0 if anything in the slot differs from what was sealed.
  std::size_t unseal(const SlotSecret& secret, const SlotCopy& slot, char* out);

 private:
  Sha256 sha256_;
  Aes256Gcm aes_gcm_;
};

}  // namespace claimsd::proto

#include "proto/sealing.h"

#include <string.h>  // explicit_bzero(3)

#include <cstring>

namespace claimsd::proto {
namespace {

constexpr std::size_t kFixedInfoSize = sizeof(MapId) + sizeof(std::uint16_t);

// Unique per publication of a map, and the key is specific to the map: a key and nonce never
// repeat.
Aes256Gcm::Nonce nonce_of(const SlotCopy& slot) {
  Aes256Gcm::Nonce nonce{};
  const std::uint64_t publication = slot.publication();
  std::memcpy(nonce.data() + 4, &publication, sizeof publication);
  return nonce;
}

template <class Array>
std::string_view view_of(const Array& array) {
  return {reinterpret_cast<const char*>(array.data()), sizeof array};
}

std::string_view clear_of(const SlotCopy& slot) {
  return view_of(slot.words).substr(0, kSlotClearWords * sizeof(std::uint64_t));
}

}  // namespace

void SlotSecret::wipe() {
  explicit_bzero(key.data(), key.size());
  explicit_bzero(index.data(), sizeof index);
}

bool Sealer::derive(const MapId& map_id, std::uint16_t upstream, std::string_view token,
                    SlotSecret& out) {
  constexpr std::array<std::uint8_t, 4> kOne = {0, 0, 0, 1};
  constexpr std::array<std::uint8_t, 4> kTwo = {0, 0, 0, 2};
  // Fixed size, so that different triples never produce the same bytes.
  std::array<char, kFixedInfoSize> fixed_info;
  std::memcpy(fixed_info.data(), map_id.data(), map_id.size());
  std::memcpy(fixed_info.data() + map_id.size(), &upstream, sizeof upstream);
  static_assert(sizeof out.key == Sha256::kSize && sizeof out.index <= Sha256::kSize);
  std::array<unsigned char, Sha256::kSize> named;
  bool derived = sha256_.digest({view_of(kOne), token, view_of(fixed_info)}, out.key.data()) &&
                 sha256_.digest({view_of(kTwo), view_of(out.key)}, named.data());
  if (derived) {
    std::memcpy(out.index.data(), named.data(), sizeof out.index);
    derived = out.index[0] != 0 || out.index[1] != 0;  // 0, 0 would mean "empty"
  }
  if (!derived) out.wipe();
  return derived;
}

// Encrypts in place: the ciphertext overwrites the copied claims.
bool Sealer::seal(const SlotSecret& secret, std::string_view claims, SlotCopy& slot) {
  if (claims.empty() || claims.size() > kMaxSlotClaims || slot.meta().size != claims.size())
    return false;
  const std::size_t size = sealed_size(claims.size());
  auto* const text = reinterpret_cast<char*>(&slot.words[kSlotCiphertext]);
  std::memcpy(text, claims.data(), claims.size());
  std::memset(text + claims.size(), 0, size - claims.size());
  if (aes_gcm_.encrypt(secret.key, nonce_of(slot), clear_of(slot), {text, size}, text,
                       &slot.words[kSlotTag])) {
    return true;
  }
  explicit_bzero(text, size);
  return false;
}

std::size_t Sealer::unseal(const SlotSecret& secret, const SlotCopy& slot, char* out) {
  const std::size_t claims = slot.meta().size;
  if (claims == 0 || claims > kMaxSlotClaims) return 0;
  const std::size_t size = sealed_size(claims);
  const auto* const text = reinterpret_cast<const char*>(&slot.words[kSlotCiphertext]);
  if (aes_gcm_.decrypt(secret.key, nonce_of(slot), clear_of(slot), {text, size},
                       &slot.words[kSlotTag], out)) {
    return claims;
  }
  // GCM decrypts before it authenticates: unauthenticated output must be wiped.
  explicit_bzero(out, size);
  return 0;
}

}  // namespace claimsd::proto

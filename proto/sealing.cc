#include "proto/sealing.h"

#include <openssl/evp.h>
#include <string.h>  // explicit_bzero(3)

#include <cstring>

namespace claimsd::proto {
namespace {

constexpr char kLabel[] = "claimsd map slot v2";  // with its NUL
constexpr std::size_t kFixedInfoSize = sizeof kLabel + sizeof(MapId) + sizeof(std::uint16_t);
constexpr std::size_t kDigestSize = 32;
constexpr std::size_t kTagSize = 16;
constexpr std::size_t kNonceSize = 12;

// Unique for each publication of the map, and the key is the map's own: never the same pair of key
// and nonce twice.
std::array<unsigned char, kNonceSize> nonce_of(const SlotCopy& slot) {
  std::array<unsigned char, kNonceSize> nonce{};
  const std::uint64_t publication = slot.publication();
  std::memcpy(nonce.data() + 4, &publication, sizeof publication);
  return nonce;
}

const unsigned char* bytes_of(const void* at) {
  return static_cast<const unsigned char*>(at);
}

constexpr int kClearSize = static_cast<int>(kSlotClearWords * sizeof(std::uint64_t));

}  // namespace

void SlotSecret::wipe() {
  explicit_bzero(key.data(), key.size());
  explicit_bzero(index.data(), sizeof index);
}

bool Sealer::open() {
  close();
  sha256_ = EVP_MD_fetch(nullptr, "SHA2-256", nullptr);
  aes_gcm_ = EVP_CIPHER_fetch(nullptr, "AES-256-GCM", nullptr);
  digest_ctx_ = EVP_MD_CTX_new();
  cipher_ctx_ = EVP_CIPHER_CTX_new();
  // The cipher is set once: setting it again would take the context down and build it up each time.
  if (sha256_ != nullptr && aes_gcm_ != nullptr && digest_ctx_ != nullptr &&
      cipher_ctx_ != nullptr &&
      EVP_DecryptInit_ex2(cipher_ctx_, aes_gcm_, nullptr, nullptr, nullptr) == 1) {
    return true;
  }
  close();
  return false;
}

void Sealer::close() {
  EVP_CIPHER_CTX_free(cipher_ctx_);
  EVP_MD_CTX_free(digest_ctx_);
  EVP_CIPHER_free(aes_gcm_);
  EVP_MD_free(sha256_);
  cipher_ctx_ = nullptr;
  digest_ctx_ = nullptr;
  aes_gcm_ = nullptr;
  sha256_ = nullptr;
}

bool Sealer::derive(const MapId& map_id, std::uint16_t upstream, std::string_view token,
                    SlotSecret& out) {
  // Of a fixed size: no two triples are the same bytes.
  std::array<unsigned char, kFixedInfoSize> fixed_info;
  std::memcpy(fixed_info.data(), kLabel, sizeof kLabel);
  std::memcpy(fixed_info.data() + sizeof kLabel, map_id.data(), map_id.size());
  std::memcpy(fixed_info.data() + sizeof kLabel + map_id.size(), &upstream, sizeof upstream);
  const std::string_view info(reinterpret_cast<const char*>(fixed_info.data()), kFixedInfoSize);
  static_assert(sizeof out.key == kDigestSize && sizeof out.index <= kDigestSize);
  std::array<unsigned char, kDigestSize> named;
  // The second also takes the place of the first in the context, which would give the key away.
  bool derived =
      digest(1, token, info, out.key.data()) &&
      digest(2, {reinterpret_cast<const char*>(out.key.data()), out.key.size()}, {}, named.data());
  if (derived) {
    std::memcpy(out.index.data(), named.data(), sizeof out.index);
    derived = out.index[0] != 0 || out.index[1] != 0;  // that would mean "empty"
  }
  if (!derived) out.wipe();
  return derived;
}

bool Sealer::digest(std::uint8_t counter, std::string_view secret, std::string_view info,
                    unsigned char* out) {
  const std::array<unsigned char, 4> big_endian = {0, 0, 0, counter};
  return EVP_DigestInit_ex2(digest_ctx_, sha256_, nullptr) == 1 &&
         EVP_DigestUpdate(digest_ctx_, big_endian.data(), big_endian.size()) == 1 &&
         EVP_DigestUpdate(digest_ctx_, secret.data(), secret.size()) == 1 &&
         (info.empty() || EVP_DigestUpdate(digest_ctx_, info.data(), info.size()) == 1) &&
         EVP_DigestFinal_ex(digest_ctx_, out, nullptr) == 1;
}

bool Sealer::seal(const SlotSecret& secret, std::string_view claims, SlotCopy& slot) {
  if (claims.empty() || claims.size() > kMaxSlotClaims || slot.meta().size != claims.size())
    return false;
  const auto nonce = nonce_of(slot);
  auto* const ciphertext = reinterpret_cast<unsigned char*>(&slot.words[kSlotCiphertext]);
  int size = 0;
  return EVP_EncryptInit_ex2(cipher_ctx_, nullptr, secret.key.data(), nonce.data(), nullptr) == 1 &&
         EVP_EncryptUpdate(cipher_ctx_, nullptr, &size, bytes_of(slot.words.data()), kClearSize) ==
             1 &&
         EVP_EncryptUpdate(cipher_ctx_, ciphertext, &size, bytes_of(claims.data()),
                           static_cast<int>(claims.size())) == 1 &&
         EVP_EncryptFinal_ex(cipher_ctx_, ciphertext + size, &size) == 1 &&
         EVP_CIPHER_CTX_ctrl(cipher_ctx_, EVP_CTRL_AEAD_GET_TAG, static_cast<int>(kTagSize),
                             &slot.words[kSlotTag]) == 1;
}

std::size_t Sealer::unseal(const SlotSecret& secret, const SlotCopy& slot, char* out) {
  const std::size_t claims = slot.meta().size;
  if (claims == 0 || claims > kMaxSlotClaims) return 0;
  const auto nonce = nonce_of(slot);
  std::array<std::uint64_t, 2> tag = {slot.words[kSlotTag], slot.words[kSlotTag + 1]};
  auto* const plain = reinterpret_cast<unsigned char*>(out);
  int size = 0;
  const bool opened =
      EVP_DecryptInit_ex2(cipher_ctx_, nullptr, secret.key.data(), nonce.data(), nullptr) == 1 &&
      EVP_DecryptUpdate(cipher_ctx_, nullptr, &size, bytes_of(slot.words.data()), kClearSize) ==
          1 &&
      EVP_DecryptUpdate(cipher_ctx_, plain, &size, bytes_of(&slot.words[kSlotCiphertext]),
                        static_cast<int>(claims)) == 1 &&
      EVP_CIPHER_CTX_ctrl(cipher_ctx_, EVP_CTRL_AEAD_SET_TAG, static_cast<int>(kTagSize),
                          tag.data()) == 1 &&
      EVP_DecryptFinal_ex(cipher_ctx_, plain + size, &size) == 1;
  // GCM decrypts before it authenticates: what failed must not be read by anybody.
  if (!opened) explicit_bzero(out, claims);
  return opened ? claims : 0;
}

}  // namespace claimsd::proto

#include "daemon/crypto/hmac_sha256.h"

#include <openssl/crypto.h>

#include <cstdlib>
#include <cstring>

namespace claimsd::daemon {
namespace {

constexpr std::size_t kBlock = 64;  // SHA-256 block size in bytes: FIPS 180-4

void must(int openssl_ok) {
  if (openssl_ok != 1) std::abort();
}

bool start(EVP_MD_CTX* context, const EVP_MD* sha256, const std::array<std::uint8_t, kBlock>& key,
           std::uint8_t pad) {
  std::array<std::uint8_t, kBlock> padded = key;
  for (std::uint8_t& byte : padded) byte ^= pad;
  const bool ok = EVP_DigestInit_ex2(context, sha256, nullptr) == 1 &&
                  EVP_DigestUpdate(context, padded.data(), padded.size()) == 1;
  OPENSSL_cleanse(padded.data(), padded.size());
  return ok;
}

// RFC 2104, section 2: a key longer than a block is replaced by its hash.
bool fit_key(const EVP_MD* sha256, std::string_view key, std::array<std::uint8_t, kBlock>& out) {
  if (key.size() <= kBlock) {
    if (!key.empty()) std::memcpy(out.data(), key.data(), key.size());
    return true;
  }
  return EVP_Digest(key.data(), key.size(), out.data(), nullptr, sha256, nullptr) == 1;
}

}  // namespace

Result<HmacSha256> HmacSha256::create(std::string_view key) {
  HmacSha256 made;
  made.sha256_.reset(EVP_MD_fetch(nullptr, "SHA256", nullptr));
  made.inner_.reset(EVP_MD_CTX_new());
  made.outer_.reset(EVP_MD_CTX_new());
  made.work_.reset(EVP_MD_CTX_new());
  std::array<std::uint8_t, kBlock> block{};
  const bool ok = made.sha256_ && made.inner_ && made.outer_ && made.work_ &&
                  fit_key(made.sha256_.get(), key, block) &&
                  start(made.inner_.get(), made.sha256_.get(), block, 0x36) &&
                  start(made.outer_.get(), made.sha256_.get(), block, 0x5c);
  OPENSSL_cleanse(block.data(), block.size());
  if (!ok) {
    return failure("libcrypto does not provide SHA-256: activate OpenSSL's default provider");
  }
  return made;
}

void HmacSha256::absorb(std::string_view prefix) {
  must(EVP_DigestUpdate(inner_.get(), prefix.data(), prefix.size()));
}

HmacSha256::Digest HmacSha256::finish(std::string_view message) {
  Digest digest;
  must(EVP_MD_CTX_copy_ex(work_.get(), inner_.get()));
  must(EVP_DigestUpdate(work_.get(), message.data(), message.size()));
  must(EVP_DigestFinal_ex(work_.get(), digest.data(), nullptr));
  must(EVP_MD_CTX_copy_ex(work_.get(), outer_.get()));
  must(EVP_DigestUpdate(work_.get(), digest.data(), digest.size()));
  must(EVP_DigestFinal_ex(work_.get(), digest.data(), nullptr));
  return digest;
}

Result<Secret> derive_key(const Secret& key, std::string_view label, std::string_view context) {
  HmacSha256 hmac = TRY(HmacSha256::create(key.view()));
  hmac.absorb(label);
  hmac.absorb(std::string_view("", 1));
  HmacSha256::Digest digest = hmac.finish(context);
  Secret derived(std::string_view(reinterpret_cast<const char*>(digest.data()), digest.size()));
  OPENSSL_cleanse(digest.data(), digest.size());
  return derived;
}

}  // namespace claimsd::daemon

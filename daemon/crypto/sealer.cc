#include "daemon/crypto/sealer.h"

#include <openssl/crypto.h>

#include <cstring>

namespace claimsd::daemon {
namespace {

const unsigned char* bytes(const char* at) {
  return reinterpret_cast<const unsigned char*>(at);
}
unsigned char* bytes(char* at) {
  return reinterpret_cast<unsigned char*>(at);
}

bool fits(std::string_view bound, std::size_t plain_size) {
  return bound.size() <= Sealer::kMaxPlain && plain_size <= Sealer::kMaxPlain;
}

}  // namespace

Result<Sealer> Sealer::create(const Secret& key, Random& random) {
  if (key.view().size() != kKeySize) return failure("a sealing key must be 32 bytes");
  Sealer made(random);
  made.cipher_.reset(EVP_CIPHER_fetch(nullptr, "AES-256-GCM", nullptr));
  made.encrypt_.reset(EVP_CIPHER_CTX_new());
  made.decrypt_.reset(EVP_CIPHER_CTX_new());
  const unsigned char* raw = bytes(key.view().data());
  if (!made.cipher_ || !made.encrypt_ || !made.decrypt_ ||
      EVP_EncryptInit_ex2(made.encrypt_.get(), made.cipher_.get(), raw, nullptr, nullptr) != 1 ||
      EVP_DecryptInit_ex2(made.decrypt_.get(), made.cipher_.get(), raw, nullptr, nullptr) != 1) {
    return failure("libcrypto does not provide AES-256-GCM: activate OpenSSL's default provider");
  }
  return made;
}

bool Sealer::seal(std::string_view bound, std::string_view plain, std::span<char> box) {
  if (!fits(bound, plain.size()) || box.size() != plain.size() + kOverhead) return false;
  char* const nonce = box.data();
  char* const text = nonce + kNonceSize;
  random_->fill(nonce, kNonceSize);
  EVP_CIPHER_CTX* const context = encrypt_.get();
  int written = 0;
  return EVP_EncryptInit_ex2(context, nullptr, nullptr, bytes(nonce), nullptr) == 1 &&
         EVP_EncryptUpdate(context, nullptr, &written, bytes(bound.data()),
                           static_cast<int>(bound.size())) == 1 &&
         EVP_EncryptUpdate(context, bytes(text), &written, bytes(plain.data()),
                           static_cast<int>(plain.size())) == 1 &&
         static_cast<std::size_t>(written) == plain.size() &&
         EVP_EncryptFinal_ex(context, bytes(text + plain.size()), &written) == 1 &&
         EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, kTagSize, text + plain.size()) == 1;
}

bool Sealer::open(std::string_view bound, std::string_view box, std::span<char> plain) {
  if (box.size() < kOverhead || plain.size() != box.size() - kOverhead ||
      !fits(bound, plain.size())) {
    return false;
  }
  const char* const text = box.data() + kNonceSize;
  char tag[kTagSize];  // libcrypto requires a pointer to non-const
  std::memcpy(tag, text + plain.size(), kTagSize);
  EVP_CIPHER_CTX* const context = decrypt_.get();
  int written = 0;
  const bool opened =
      EVP_DecryptInit_ex2(context, nullptr, nullptr, bytes(box.data()), nullptr) == 1 &&
      EVP_DecryptUpdate(context, nullptr, &written, bytes(bound.data()),
                        static_cast<int>(bound.size())) == 1 &&
      EVP_DecryptUpdate(context, bytes(plain.data()), &written, bytes(text),
                        static_cast<int>(plain.size())) == 1 &&
      EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, kTagSize, tag) == 1 &&
      EVP_DecryptFinal_ex(context, bytes(plain.data()), &written) == 1;
  if (!opened) OPENSSL_cleanse(plain.data(), plain.size());
  return opened;
}

}  // namespace claimsd::daemon

#include "proto/sealing_primitives.h"

#include <openssl/evp.h>

#include <algorithm>
#include <string>

#include "tests/support/catch.h"

namespace claimsd::proto {
namespace {

std::string from_hex(std::string_view hex) {
  std::string bytes;
  for (std::size_t at = 0; at < hex.size(); at += 2)
    bytes += static_cast<char>(std::stoi(std::string(hex.substr(at, 2)), nullptr, 16));
  return bytes;
}

std::string digest_of(Sha256& sha256, std::initializer_list<std::string_view> parts) {
  std::string out(Sha256::kSize, '\0');
  CHECK(sha256.digest(parts, reinterpret_cast<unsigned char*>(out.data())));
  return out;
}

std::string text_of(std::size_t size) {
  std::string text(size, '\0');
  for (std::size_t at = 0; at < size; ++at) text[at] = static_cast<char>(at * 31 + size);
  return text;
}

// Test case 16 of McGrew and Viega, "The Galois/Counter Mode of Operation (GCM)".
struct GcmExample {
  GcmExample() {
    const std::string key_bytes =
        from_hex("feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308");
    const std::string nonce_bytes = from_hex("cafebabefacedbaddecaf888");
    std::copy(key_bytes.begin(), key_bytes.end(), key.begin());
    std::copy(nonce_bytes.begin(), nonce_bytes.end(), nonce.begin());
    REQUIRE(aes_gcm.open());
  }
  // Returns the plain text, or an empty string on failure.
  std::string decrypt(const std::string& with_clear, const std::string& with_cipher,
                      const std::string& with_tag) {
    std::string out(with_cipher.size(), '\0');
    const bool right =
        aes_gcm.decrypt(key, nonce, with_clear, with_cipher, with_tag.data(), out.data());
    return right ? out : "";
  }

  Aes256Gcm aes_gcm;
  Aes256Gcm::Key key;
  Aes256Gcm::Nonce nonce;
  std::string clear = from_hex("feedfacedeadbeeffeedfacedeadbeefabaddad2");
  std::string plain = from_hex(
      "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6"
      "b5"
      "25b16aedf5aa0de657ba637b39");
  std::string cipher = from_hex(
      "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b105682"
      "8838"
      "c5f61e6393ba7a0abcc9f662");
  std::string tag = from_hex("76fc6ece0f4e1768cddf8853bb2d551b");
};

TEST_CASE("SHA-256 produces the digests of the standard's examples") {
  Sha256 sha256;
  REQUIRE(sha256.open());
  CHECK(digest_of(sha256, {"abc"}) ==
        from_hex("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"));
  CHECK(digest_of(sha256, {}) ==
        from_hex("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"));
  CHECK(digest_of(sha256, {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"}) ==
        from_hex("248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"));
}

TEST_CASE("a digest equals that of EVP for any size and any division into parts") {
  Sha256 sha256;
  REQUIRE(sha256.open());
  for (std::size_t size = 0; size <= 300; ++size) {
    const std::string text = text_of(size);
    std::string expected(Sha256::kSize, '\0');
    REQUIRE(EVP_Digest(text.data(), size, reinterpret_cast<unsigned char*>(expected.data()),
                       nullptr, EVP_sha256(), nullptr) == 1);
    const std::string_view all = text;
    INFO(size);
    REQUIRE(digest_of(sha256, {all}) == expected);
    REQUIRE(digest_of(sha256, {all.substr(0, size / 3), all.substr(size / 3)}) == expected);
    REQUIRE(digest_of(sha256, {all.substr(0, size / 2), {}, all.substr(size / 2)}) == expected);
  }
}

TEST_CASE("AES-256-GCM produces the ciphertext of the mode's example") {
  GcmExample example;
  std::string cipher(example.plain.size(), '\0');
  std::string tag(Aes256Gcm::kTagSize, '\0');
  REQUIRE(example.aes_gcm.encrypt(example.key, example.nonce, example.clear, example.plain,
                                  cipher.data(), tag.data()));
  CHECK(cipher == example.cipher);
  CHECK(tag == example.tag);
  CHECK(example.decrypt(example.clear, example.cipher, example.tag) == example.plain);
}

TEST_CASE("modified input is not decrypted, and correct input still is afterwards") {
  GcmExample example;
  for (std::size_t at = 0; at < Aes256Gcm::kTagSize; ++at) {
    std::string clear = example.clear;
    std::string cipher = example.cipher;
    std::string tag = example.tag;
    clear[at] ^= 1;
    cipher[at] ^= 1;
    tag[at] ^= 1;
    CHECK(example.decrypt(clear, example.cipher, example.tag).empty());
    CHECK(example.decrypt(example.clear, cipher, example.tag).empty());
    CHECK(example.decrypt(example.clear, example.cipher, tag).empty());
    CHECK(example.decrypt(example.clear, example.cipher, example.tag) == example.plain);
  }
}

TEST_CASE("a closed primitive can be opened again, and opening twice is harmless") {
  Sha256 sha256;
  Aes256Gcm aes_gcm;
  for (int round = 0; round < 3; ++round) {
    REQUIRE(sha256.open());
    REQUIRE(aes_gcm.open());
    if (round == 1) {
      sha256.close();
      aes_gcm.close();
      CHECK_FALSE(sha256.is_open());
      CHECK_FALSE(aes_gcm.is_open());
    }
  }
  CHECK(digest_of(sha256, {"abc"}).substr(0, 4) == from_hex("ba7816bf"));
}

}  // namespace
}  // namespace claimsd::proto

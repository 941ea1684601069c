// token_hash.h: a token's place in the local table: 64 bits under a random key of the handle.
//
// Multiply and fold (as wyhash does), eight lanes at once, since one multiplication waits for the
// one before it: 800 bytes in some 25 ns. No cryptography: it only has to keep strangers, who don't
// know the key, from crowding one set; what lies there is compared in whole. Pure; any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace claimsd::client_impl {

class TokenHash {
 public:
  static constexpr std::size_t kLanes = 8;
  static constexpr std::size_t kStep = 16;
  struct Key {
    std::uint64_t words[kLanes];
  };

  explicit TokenHash(const Key& key) : key_(key) {}
  TokenHash() = default;

  // Of a token of at least kStep bytes. Never 0.
  std::uint64_t operator()(std::string_view token) const {
    std::uint64_t lanes[kLanes];
    std::memcpy(lanes, key_.words, sizeof lanes);
    const char* at = token.data();
    const char* const last = at + token.size() - kStep;
    for (; at + kLanes * kStep <= last; at += kLanes * kStep) {
#pragma GCC unroll 8
      for (std::size_t lane = 0; lane < kLanes; ++lane) absorb(lanes, lane, at + lane * kStep);
    }
    for (std::size_t lane = 0; at < last; ++lane, at += kStep) absorb(lanes, lane, at);
    absorb(lanes, kLanes - 1, last);  // mostly overlaps the step before it
    std::uint64_t hash = key_.words[0] ^ token.size();
    for (const std::uint64_t lane : lanes) hash = fold(hash ^ lane, kOdd);
    return hash | 1;
  }

 private:
  static constexpr std::uint64_t kOdd = 0x9e3779b97f4a7c15;
  __extension__ typedef unsigned __int128 Product;

  static std::uint64_t load(const char* at) {
    std::uint64_t word;
    std::memcpy(&word, at, sizeof word);
    return word;
  }
  static std::uint64_t fold(std::uint64_t left, std::uint64_t right) {
    const Product product = static_cast<Product>(left) * right;
    return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
  }
  void absorb(std::uint64_t (&lanes)[kLanes], std::size_t lane, const char* at) const {
    lanes[lane] = fold(load(at) ^ key_.words[kLanes - 1 - lane], load(at + 8) ^ lanes[lane]);
  }

  Key key_{};
};

}  // namespace claimsd::client_impl

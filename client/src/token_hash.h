// token_hash.h: a keyed 64-bit hash of tokens for the local table, with a random key per handle.
//
// Multiply and fold (as wyhash does), in four lanes, since one multiplication waits for the one
// before it, and since four fit the registers: 800 bytes in some 33 ns. No cryptography: it only
// has to keep strangers, who don't know the key, from crowding one set; what lies there is compared
// in whole. Pure; any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace claimsd::client {

class TokenHash {
 public:
  static constexpr std::size_t kLanes = 4;
  static constexpr std::size_t kStep = 16;
  struct Key {
    std::uint64_t lanes[kLanes];  // where each begins
    std::uint64_t words[kLanes];  // what each adds to half of what it takes in
  };

  explicit TokenHash(const Key& key) : key_(key) {}
  TokenHash() = default;

  // Of a token of at least kStep bytes. Never 0.
  std::uint64_t operator()(std::string_view token) const {
    std::uint64_t lanes[kLanes];
    std::memcpy(lanes, key_.lanes, sizeof lanes);
    const char* const end = token.data() + token.size();
    if (token.size() >= kRound) {
      const char* at = token.data();
      for (; at + kRound < end; at += kRound) absorb_round(lanes, at);
      absorb_round(lanes, end - kRound);  // may overlap the one before it
    } else {
      const char* at = token.data();
      for (std::size_t lane = 0; at + kStep < end; ++lane, at += kStep) absorb(lanes, lane, at);
      absorb(lanes, kLanes - 1, end - kStep);
    }
    return together(lanes, token.size()) | 1;
  }

 private:
  static constexpr std::uint64_t kOdd = 0x9e3779b97f4a7c15;
  __extension__ typedef unsigned __int128 Product;
  static constexpr std::size_t kRound = kLanes * kStep;

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
    lanes[lane] = fold(load(at) ^ key_.words[lane], load(at + 8) ^ lanes[lane]);
  }
  void absorb_round(std::uint64_t (&lanes)[kLanes], const char* at) const {
#pragma GCC unroll 4
    for (std::size_t lane = 0; lane < kLanes; ++lane) absorb(lanes, lane, at + lane * kStep);
  }
  static std::uint64_t together(const std::uint64_t (&lanes)[kLanes], std::size_t size) {
    const std::uint64_t hash = fold(fold(lanes[0], lanes[1]), fold(lanes[2], lanes[3]));
    return fold(hash ^ size, kOdd);
  }

  Key key_{};
};

}  // namespace claimsd::client

// token.h: syntax check of tokens, and the key that identifies a token without revealing it.
//
// Pure; any thread.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "proto/vocabulary.h"

namespace claimsd::claims {

// Position of an `[upstream.NAME]` section in the configuration.
using UpstreamId = std::uint16_t;

// HMAC-SHA-256 of the upstream's scope and the token, under a secret key of this cache environment.
// Safe to store and compare: it reveals nothing about the token without that key.
struct TokenKey {
  std::array<std::uint8_t, 32> bytes{};
  auto operator<=>(const TokenKey&) const = default;
};

// The key is uniformly distributed, so its first bytes serve as its hash.
struct TokenKeyHash {
  std::size_t operator()(const TokenKey& key) const {
    std::size_t value = 0;
    std::memcpy(&value, key.bytes.data(), sizeof value);
    return value;
  }
};

// Returns kOk, kTooLong or kMalformed. A token is visible ASCII, more than RFC 6750's b64token, of at
// most proto::kMaxToken bytes. Nothing else may reach an HTTP header.
proto::Reason check_token(std::string_view token);

}  // namespace claimsd::claims

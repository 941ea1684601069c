// token.h: what a token must look like before anybody is asked, and what the daemon calls it
// instead of by its name.
//
// Pure; any thread.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "proto/vocabulary.h"

namespace claimsd::daemon {

// Which `[upstream.NAME]` of the configuration, by position.
using UpstreamId = std::uint16_t;

// HMAC-SHA-256, under a key of this cache environment, of the upstream's whole scope and the token.
// Safe to store and compare; it says nothing about the token to somebody without the key.
struct TokenKey {
  std::array<std::uint8_t, 32> bytes{};
  auto operator<=>(const TokenKey&) const = default;
};

// The key is uniformly distributed, so its first bytes are its hash.
struct TokenKeyHash {
  std::size_t operator()(const TokenKey& key) const {
    std::size_t value = 0;
    std::memcpy(&value, key.bytes.data(), sizeof value);
    return value;
  }
};

// kOk, kTooLong or kMalformed: RFC 6750 section 2.1 `b64token` and at most proto::kMaxToken bytes.
// Nothing else may reach an HTTP header.
proto::Reason check_token(std::string_view token);

}  // namespace claimsd::daemon

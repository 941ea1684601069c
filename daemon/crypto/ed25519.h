// ed25519.h: Ed25519 signatures (RFC 8032) with a 32-byte private key. Any thread; aborts if
// libcrypto lacks Ed25519.
#pragma once

#include <string>
#include <string_view>

#include "daemon/base/secret.h"

namespace claimsd::crypto {

inline constexpr std::size_t kEd25519Key = 32;  // either half
inline constexpr std::size_t kEd25519Signature = 64;

std::string ed25519_public(const Secret& key);
std::string ed25519_sign(const Secret& key, std::string_view message);
bool ed25519_verify(std::string_view public_key, std::string_view message,
                    std::string_view signature);

}  // namespace claimsd::crypto

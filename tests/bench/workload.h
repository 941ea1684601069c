// workload.h: the tokens and claims that every contender handles, so that all carry the same load.
//
// Pure; any thread. Sizes in bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace claimsd::bench {

inline constexpr std::size_t kTokenSize = 800;   // an RS256 access token with a dozen claims
inline constexpr std::size_t kClaimsSize = 300;  // what the Auth API returns for its holder
inline constexpr std::size_t kKeySize = 71;  // "claims:" and a SHA-256 in hex, as in a shared cache

// A JWT (RFC 7519) that expires in the year 2100. The same number gives the same token.
std::string make_token(std::uint64_t number);

// The Auth API's answer: one JSON object of kClaimsSize bytes.
std::string claims_json();

// The key of the claims in Redis and memcached.
std::string cache_key();

// Sizes of our frames for one query and its answer, for the bare ping-pong.
struct FrameSizes {
  std::size_t query = 0;
  std::size_t answer = 0;
};
FrameSizes frame_sizes();

// RFC 4648 section 5, without padding.
std::string base64url(std::string_view bytes);

}  // namespace claimsd::bench

// limits.h: every size that both sides of the wire must agree on, in bytes unless the name says
// otherwise.
//
// The one size table of the project; PROTOCOL.md, "Limits", explains each row. What is too large
// for one path takes the next slower one.
#pragma once

#include <cstddef>
#include <cstdint>

namespace claimsd::proto {

inline constexpr std::size_t kMaxToken = 8 * 1024;       // a longer one is `too_long`, unasked
inline constexpr std::size_t kMaxRawClaims = 16 * 1024;  // more is trimmed to id, email and roles
inline constexpr std::size_t kMaxId = 256;
inline constexpr std::size_t kMaxEmail = 320;  // RFC 3696 erratum 1690: 64 + "@" + 255
inline constexpr std::size_t kMaxRole = 128;
inline constexpr std::size_t kMaxRoles = 64;  // count

// Strings of the handshake and the hints of a question.
inline constexpr std::size_t kMaxName = 64;      // client name, upstream name, versions
inline constexpr std::size_t kMaxUrl = 1024;     // the upstream a client expects
inline constexpr std::size_t kMaxAddress = 64;   // client address: IPv6 with a zone fits
inline constexpr std::size_t kMaxTraceId = 128;  // W3C traceparent is 55
inline constexpr std::size_t kMaxRoute = 256;
inline constexpr std::size_t kMaxMethod = 16;     // of a report, as the two below
inline constexpr std::size_t kMaxRequired = 512;  // what a permission asked for, in words
inline constexpr std::size_t kMaxText = 1024;     // a sentence for people

// A frame: header and payload. Either side may hang up on a peer that announces more.
inline constexpr std::size_t kHeaderSize = 12;
inline constexpr std::size_t kMaxPayload = 32 * 1024;
inline constexpr std::size_t kMaxFrame = kHeaderSize + kMaxPayload;

// id + email + roles + raw, each with its length: what an Answer must always be able to carry.
inline constexpr std::size_t kMaxClaimsBlock =
    (2 + kMaxId) + (2 + kMaxEmail) + (2 + kMaxRoles * (2 + kMaxRole)) + (4 + kMaxRawClaims);
static_assert(kMaxClaimsBlock + kMaxText + 64 <= kMaxPayload);

// Questions open on one connection: the client stops there, the daemon hangs up beyond it.
inline constexpr std::uint32_t kMaxOpenQuestions = 4096;

}  // namespace claimsd::proto

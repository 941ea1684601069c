// limits.h: all sizes on which both sides of the wire must agree, in bytes unless stated otherwise.
//
// The only such table; PROTOCOL.md, "Limits", explains each row. Data too large for one path uses
// the next slower one.
#pragma once

#include <cstddef>
#include <cstdint>

namespace claimsd::proto {

// The daemon's `max_token_bytes` and `max_claims_bytes` may be lower than the first two.
inline constexpr std::size_t kMaxToken = 32 * 1024;      // longer: `too_long`, without a request
inline constexpr std::size_t kMaxRawClaims = 64 * 1024;  // larger: reduced to id, email and roles
inline constexpr std::size_t kMaxId = 256;
inline constexpr std::size_t kMaxEmail = 320;            // RFC 3696 erratum 1690: 64 + "@" + 255
inline constexpr std::size_t kMaxRole = 512;             // a distinguished name of a directory
inline constexpr std::size_t kMaxRoles = 256;            // count
inline constexpr std::size_t kMaxRoleBytes = 16 * 1024;  // all roles of a user together

// Strings of the handshake and the hints of a query.
inline constexpr std::size_t kMaxName = 64;      // client name, upstream name, versions
inline constexpr std::size_t kMaxUrl = 1024;     // the upstream a client expects
inline constexpr std::size_t kMaxAddress = 64;   // fits IPv6 with a zone
inline constexpr std::size_t kMaxTraceId = 128;  // W3C traceparent is 55
inline constexpr std::size_t kMaxRoute = 256;
inline constexpr std::size_t kMaxMethod = 16;     // of a report, as are the two below
inline constexpr std::size_t kMaxRequired = 512;  // what the permission required
inline constexpr std::size_t kMaxText = 1024;     // a message for people

// What the token's length field can hold. A Query may carry a token over the limits, which the
// daemon answers `too_long`.
inline constexpr std::size_t kMaxTokenField = 0xffff;

// Frame sizes. Either side may hang up on a peer that announces more.
inline constexpr std::size_t kHeaderSize = 12;
inline constexpr std::size_t kMaxPayload = 96 * 1024;
inline constexpr std::size_t kMaxFrame = kHeaderSize + kMaxPayload;

// id + email + roles + raw, each with its size. An Answer must always be able to carry this.
inline constexpr std::size_t kMaxClaimsBlock =
    (2 + kMaxId) + (2 + kMaxEmail) + (2 + 2 * kMaxRoles + kMaxRoleBytes) + (4 + kMaxRawClaims);
static_assert(kMaxClaimsBlock + kMaxText + 64 <= kMaxPayload);

// Queries open on one connection: the client stops at this number, the daemon hangs up beyond it.
inline constexpr std::uint32_t kMaxOpenQueries = 4096;

}  // namespace claimsd::proto

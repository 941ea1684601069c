// messages.h: the wire protocol as one table; PROTOCOL.md describes it.
//
// The rows below generate the structs, their codec (codec.h) and the dispatch. To add a message,
// add a row to CLAIMSD_MESSAGES and its fields. To extend a message, add a field at its end: a
// decoder skips bytes after the fields it knows, and missing fields read as zero or empty, so
// neither side needs to know the other's version. Strings in a decoded message are views into the
// frame.
#pragma once

#include "proto/bytes.h"
#include "proto/limits.h"
#include "proto/vocabulary.h"

namespace claimsd::proto {

// A client offers a range of versions, the daemon picks one (PROTOCOL.md, "Handshake").
inline constexpr std::uint16_t kVersion = 2;

// Bits of `features`. Offered by the client in Hello, granted by the daemon in Welcome.
inline constexpr std::uint64_t kFeatureSharedMap = 1u << 0;  // Welcome may carry the map
inline constexpr std::uint64_t kFeatureReports = 1u << 1;    // the daemon accepts Report

// Bits of Answer::flags.
inline constexpr std::uint16_t kAnswerTruncated = 1u << 0;  // raw claims omitted as too large
inline constexpr std::uint16_t kAnswerCompacted = 1u << 1;  // raw claims without white space

// `max_age_ms`: any age is acceptable.
inline constexpr std::uint32_t kAnyAge = 0xffffffffu;

// M(struct, type code, sender). Bit 15 of the code is set in messages sent by the daemon.
// clang-format off
#define CLAIMSD_MESSAGES(M)     \
  M(Hello,    0x0001, kClient)  \
  M(Welcome,  0x8001, kDaemon)  \
  M(Failure,  0x8002, kDaemon)  \
  M(Ping,     0x0003, kClient)  \
  M(Pong,     0x8003, kDaemon)  \
  M(Query,    0x0010, kClient)  \
  M(Answer,   0x8010, kDaemon)  \
  M(Report,   0x0011, kClient)  \
  M(Receipt,  0x8011, kDaemon)

// Fields: I(integer type, name) and S(length type, name, limit in bytes).
#define CLAIMSD_FIELDS_Hello(I, S)                       \
  I(std::uint16_t, version_min)                          \
  I(std::uint16_t, version_max)                          \
  I(std::uint64_t, features)                             \
  S(std::uint16_t, client_name, kMaxName)                \
  S(std::uint16_t, upstream_url, kMaxUrl)

#define CLAIMSD_FIELDS_Welcome(I, S)                     \
  I(std::uint16_t, version)                              \
  I(std::uint64_t, features)                             \
  I(std::uint64_t, boot_time_ns)                         \
  S(std::uint16_t, daemon_version, kMaxName)             \
  S(std::uint16_t, upstream_name, kMaxName)              \
  I(std::uint16_t, upstream_id)

#define CLAIMSD_FIELDS_Failure(I, S)                     \
  I(std::uint16_t, code)                                 \
  S(std::uint16_t, text, kMaxText)

#define CLAIMSD_FIELDS_Ping(I, S)                        \
  I(std::uint64_t, echo)

#define CLAIMSD_FIELDS_Pong(I, S)                        \
  I(std::uint64_t, echo)

#define CLAIMSD_FIELDS_Query(I, S)                       \
  I(std::uint32_t, timeout_ms)                           \
  I(std::uint32_t, max_age_ms)                           \
  I(std::uint32_t, local_hits)                           \
  S(std::uint16_t, token, kMaxTokenField)                 \
  S(std::uint16_t, client_address, kMaxAddress)          \
  S(std::uint16_t, trace_id, kMaxTraceId)                \
  S(std::uint16_t, route, kMaxRoute)

#define CLAIMSD_FIELDS_Answer(I, S)                      \
  I(std::uint8_t,  verdict)                              \
  I(std::uint8_t,  source)                               \
  I(std::uint16_t, reason)                               \
  I(std::uint16_t, flags)                                \
  I(std::uint32_t, age_ms)                               \
  I(std::uint32_t, ttl_ms)                              \
  I(std::uint32_t, retry_after_ms)                       \
  S(std::uint32_t, claims, kMaxClaimsBlock)

#define CLAIMSD_FIELDS_Report(I, S)                      \
  I(std::uint32_t, timeout_ms)                           \
  I(std::uint32_t, unacknowledged)                       \
  I(std::uint16_t, status)                               \
  I(std::uint16_t, reason)                               \
  S(std::uint16_t, token, kMaxToken)                     \
  S(std::uint16_t, user, kMaxId)                         \
  S(std::uint16_t, method, kMaxMethod)                   \
  S(std::uint16_t, route, kMaxRoute)                     \
  S(std::uint16_t, required, kMaxRequired)               \
  S(std::uint16_t, client_address, kMaxAddress)          \
  S(std::uint16_t, trace_id, kMaxTraceId)

#define CLAIMSD_FIELDS_Receipt(I, S)                     \
  I(std::uint16_t, reason)
// clang-format on

enum class MessageType : std::uint16_t {
#define CLAIMSD_MESSAGE_TYPE(Struct, code, sender) k##Struct = code,
  CLAIMSD_MESSAGES(CLAIMSD_MESSAGE_TYPE)
#undef CLAIMSD_MESSAGE_TYPE
};

enum class Sender : std::uint8_t { kClient, kDaemon };

#define CLAIMSD_INTEGER_MEMBER(Integer, name) Integer name{};
#define CLAIMSD_STRING_MEMBER(Length, name, limit) std::string_view name{};
#define CLAIMSD_MESSAGE_STRUCT(Struct, code, from)                         \
  struct Struct {                                                          \
    static constexpr MessageType kType = MessageType::k##Struct;           \
    static constexpr Sender kSender = Sender::from;                        \
    CLAIMSD_FIELDS_##Struct(CLAIMSD_INTEGER_MEMBER, CLAIMSD_STRING_MEMBER) \
  };
CLAIMSD_MESSAGES(CLAIMSD_MESSAGE_STRUCT)
#undef CLAIMSD_MESSAGE_STRUCT
#undef CLAIMSD_INTEGER_MEMBER
#undef CLAIMSD_STRING_MEMBER

// F(identifier, code, sentence): the `code` of a Failure frame. After a Failure with request id 0
// the daemon hangs up.
// clang-format off
#define CLAIMSD_FAILURES(F) \
  F(kBadFrame,        1, "the header or payload of the frame does not follow PROTOCOL.md") \
  F(kFrameTooLarge,   2, "the frame is larger than the limit") \
  F(kUnknownMessage,  3, "the daemon does not support this message type: upgrade the older side") \
  F(kHelloExpected,   4, "the first frame must be Hello, and no later one may be") \
  F(kVersionMismatch, 5, "no common protocol version: upgrade the older side") \
  F(kNotAllowed,      6, "this uid is not in daemon.allowed_uids, nor its gid in daemon.allowed_gids: add one of them") \
  F(kTooManyPeers,    7, "the daemon has daemon.max_connections connections: find the users with claimsctl top, or raise it") \
  F(kUnknownUpstream, 8, "the expected Auth API is not an upstream of this daemon: compare the URLs") \
  F(kTooManyOpen,     9, "too many queries are open on this connection: wait for answers first") \
  F(kStopping,       10, "the daemon is stopping: connect again") \
  F(kCannotStart,    11, "the daemon cannot start: read its log") \
  F(kTooManyOfUid,   12, "this uid has daemon.max_connections_per_uid connections: close some, or raise it") \
  F(kConnectsTooFast, 13, "this uid connects more often than daemon.connects_per_uid times a second: keep connections open, or raise it") \
  F(kNotConfigured, 14, "not configured: set upstream.main.url in /etc/claimsd/claimsd.toml, then: systemctl reload claimsd")
// clang-format on

enum class FailureCode : std::uint16_t {
#define CLAIMSD_FAILURE_ENUM(identifier, code, sentence) identifier = code,
  CLAIMSD_FAILURES(CLAIMSD_FAILURE_ENUM)
#undef CLAIMSD_FAILURE_ENUM
};

constexpr std::string_view sentence_of(FailureCode code) {
  switch (code) {
#define CLAIMSD_FAILURE_SENTENCE(identifier, number, sentence) \
  case FailureCode::identifier: return sentence;
    CLAIMSD_FAILURES(CLAIMSD_FAILURE_SENTENCE)
#undef CLAIMSD_FAILURE_SENTENCE
  }
  return "the failure code is unknown to this peer: upgrade the older side";
}

}  // namespace claimsd::proto

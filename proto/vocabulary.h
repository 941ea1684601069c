// vocabulary.h: the words of an answer (verdict, source, reason) that daemon, client, logs and
// metrics share.
//
// One table each; the enums, the stable names for programs and the sentences for people all come
// from them. Codes are wire values: rows are added at the end of their group and never renumbered.
// Static storage throughout; any thread.
#pragma once

#include <cstdint>
#include <string_view>

namespace claimsd::proto {

// What is known of a token. 0 is not a verdict, so that forgotten memory never lets anybody in.
enum class Verdict : std::uint8_t {
  kValid = 1,        // the Auth API confirmed it: claims follow
  kInvalid = 2,      // the Auth API refused it, or it cannot be a token
  kUnavailable = 3,  // nobody could say
};

// Who said so, in the order in which they are asked. Same values as claimsd_source in claimsd.h.
enum class Source : std::uint8_t {
  kNone = 0,      // nobody was asked
  kLocal = 1,     // the worker's own table
  kShared = 2,    // the map of leases
  kCache = 3,     // the daemon's cache
  kUpstream = 4,  // the Auth API, for this question
  kStale = 5,     // the daemon's cache past its freshness
};

// R(identifier, code, name, verdict, sentence). 1xx invalid, 2xx unavailable (the daemon says so),
// 3xx unavailable (the client says so: it could not ask). The sentence says what happened and what
// to do about it.
// clang-format off
#define CLAIMSD_REASONS(R) \
  R(kOk,               0,   "ok",                kValid,       "the Auth API confirmed the token") \
  R(kRefused,          100, "refused",           kInvalid,     "the Auth API refused the token: log in again") \
  R(kMalformed,        101, "malformed",         kInvalid,     "not a bearer token (RFC 6750): send it as it was issued, without \"Bearer \"") \
  R(kTooLong,          102, "too_long",          kInvalid,     "longer than a token may be (8 KiB): send it as it was issued") \
  R(kExpired,          103, "expired",           kInvalid,     "the token's own expiry has passed: refresh it or log in again") \
  R(kRevoked,          104, "revoked",           kInvalid,     "an operator revoked the token: log in again") \
  R(kDeadline,         200, "deadline",          kUnavailable, "no answer from the Auth API within the question's time-out: try again") \
  R(kUpstreamTimeout,  201, "upstream_timeout",  kUnavailable, "the Auth API did not answer in time: see claimsctl status") \
  R(kUpstreamConnect,  202, "upstream_connect",  kUnavailable, "the Auth API cannot be reached: check its URL, DNS and network") \
  R(kUpstreamTls,      203, "upstream_tls",      kUnavailable, "the Auth API's certificate or TLS was not accepted: check ca_file and its certificate") \
  R(kUpstreamStatus,   204, "upstream_status",   kUnavailable, "the Auth API answered with a status that is neither 200 nor a refusal: see its log") \
  R(kUpstreamBody,     205, "upstream_body",     kUnavailable, "the Auth API's answer is not a valid claims document: see the daemon's log") \
  R(kUpstreamTooLarge, 206, "upstream_too_large",kUnavailable, "the Auth API's answer is larger than 64 KiB: see its log") \
  R(kUpstreamProtocol, 207, "upstream_protocol", kUnavailable, "the Auth API broke off or does not speak HTTP: see its log") \
  R(kOverloaded,       208, "overloaded",        kUnavailable, "too many questions are waiting for the Auth API: try again shortly") \
  R(kShuttingDown,     209, "shutting_down",     kUnavailable, "the daemon is stopping: try again shortly") \
  R(kBackoff,          210, "backoff",           kUnavailable, "the Auth API has been failing and is left alone for a moment: try again shortly") \
  R(kInternal,         211, "internal",          kUnavailable, "the daemon could not work on it: see its log") \
  R(kOverBudget,       212, "over_budget",       kUnavailable, "this peer asks for more unknown tokens than its budget: try again later") \
  R(kNotRecorded,      213, "not_recorded",      kUnavailable, "the audit log did not take the record that must come first: see claimsctl status") \
  R(kNoDaemon,         300, "no_daemon",         kUnavailable, "no claimsd listens on the socket: is the service started?") \
  R(kNotPermitted,     301, "not_permitted",     kUnavailable, "this user may not use the socket: add it to the group claimsd-clients or to allowed_uids") \
  R(kWrongDaemon,      302, "wrong_daemon",      kUnavailable, "the socket belongs to a user that is not trusted: check socket_path and daemon_uid") \
  R(kWrongUpstream,    303, "wrong_upstream",    kUnavailable, "the daemon does not know the Auth API that this client expects: compare the URLs") \
  R(kTimeout,          304, "timeout",           kUnavailable, "the daemon did not answer in time: see claimsctl status") \
  R(kDisconnected,     305, "disconnected",      kUnavailable, "the daemon hung up twice: see its log") \
  R(kProtocol,         306, "protocol",          kUnavailable, "the daemon speaks another protocol version: upgrade the older side") \
  R(kNoResources,      307, "no_resources",      kUnavailable, "this process has no memory or descriptors left") \
  R(kNoReports,        308, "no_reports",        kUnavailable, "the daemon takes no reports: it is older than this library, or keeps no audit log") \
  R(kUnsafeDirectory,  309, "unsafe_directory",  kUnavailable, "users other than root and the daemon's can write to the socket's directory: give it to root, with mode 0755") \
  R(kTooManyConnections, 310, "too_many_connections", kUnavailable, "the daemon accepts no more connections of this user: raise daemon.max_connections_per_uid or max_connections") \
  R(kCanceled,         311, "canceled",          kUnavailable, "the caller canceled the query")
// clang-format on

enum class Reason : std::uint16_t {
#define CLAIMSD_REASON_ENUM(identifier, code, name, verdict, sentence) identifier = code,
  CLAIMSD_REASONS(CLAIMSD_REASON_ENUM)
#undef CLAIMSD_REASON_ENUM
};

// The verdict that a reason stands for; kUnavailable for a code from a newer peer.
constexpr Verdict verdict_of(Reason reason) {
  switch (reason) {
#define CLAIMSD_REASON_VERDICT(identifier, code, name, verdict, sentence) \
  case Reason::identifier: return Verdict::verdict;
    CLAIMSD_REASONS(CLAIMSD_REASON_VERDICT)
#undef CLAIMSD_REASON_VERDICT
  }
  return Verdict::kUnavailable;
}

// A stable word for programs: "refused". Points at a NUL-terminated literal.
constexpr std::string_view name_of(Reason reason) {
  switch (reason) {
#define CLAIMSD_REASON_NAME(identifier, code, name, verdict, sentence) \
  case Reason::identifier: return name;
    CLAIMSD_REASONS(CLAIMSD_REASON_NAME)
#undef CLAIMSD_REASON_NAME
  }
  return "unknown";
}

// A sentence for people. Points at a NUL-terminated literal.
constexpr std::string_view sentence_of(Reason reason) {
  switch (reason) {
#define CLAIMSD_REASON_SENTENCE(identifier, code, name, verdict, sentence) \
  case Reason::identifier: return sentence;
    CLAIMSD_REASONS(CLAIMSD_REASON_SENTENCE)
#undef CLAIMSD_REASON_SENTENCE
  }
  return "the daemon gave a reason this client does not know: upgrade the client";
}

constexpr std::string_view name_of(Verdict verdict) {
  switch (verdict) {
    case Verdict::kValid: return "valid";
    case Verdict::kInvalid: return "invalid";
    case Verdict::kUnavailable: return "unavailable";
  }
  return "unavailable";
}

constexpr std::string_view name_of(Source source) {
  switch (source) {
    case Source::kNone: return "none";
    case Source::kLocal: return "local";
    case Source::kShared: return "shared";
    case Source::kCache: return "cache";
    case Source::kUpstream: return "upstream";
    case Source::kStale: return "stale";
  }
  return "none";
}

}  // namespace claimsd::proto

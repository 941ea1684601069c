// vocabulary.h: verdicts, sources and reasons, shared by daemon, client, logs and metrics.
//
// One table each, which generates the enums, the stable names for programs and the sentences for
// people. Codes are wire values: add rows at the end of their group, never renumber. Static
// storage; any thread.
#pragma once

#include <cstdint>
#include <string_view>

namespace claimsd::proto {

// What is known of a token. 0 is not a verdict, so that zeroed memory never grants access.
enum class Verdict : std::uint8_t {
  kValid = 1,        // the Auth API confirmed it: claims follow
  kInvalid = 2,      // the Auth API rejected it, or it cannot be a token
  kUnavailable = 3,  // no answer could be obtained
};

// Where an answer came from, in lookup order. Same values as claimsd_source in claimsd.h.
enum class Source : std::uint8_t {
  kNone = 0,      // no source was used
  kLocal = 1,     // the worker's local table
  kShared = 2,    // the map of leases
  kCache = 3,     // the daemon's cache
  kUpstream = 4,  // the Auth API, for this query
  kStale = 5,     // the daemon's cache, after its freshness ended
};

// R(identifier, code, name, verdict, sentence). 1xx: invalid. 2xx: unavailable, reported by the
// daemon. 3xx: unavailable, reported by the client, which could not query. The sentence says what
// happened and what to do.
// clang-format off
#define CLAIMSD_REASONS(R) \
  R(kOk,               0,   "ok",                kValid,       "the Auth API confirmed the token") \
  R(kRejected,          100, "rejected",           kInvalid,     "the Auth API rejected the token: log in again") \
  R(kMalformed,        101, "malformed",         kInvalid,     "not a bearer token (RFC 6750): send it exactly as issued, without \"Bearer \"") \
  R(kExpired,          103, "expired",           kInvalid,     "the token has expired: refresh it or log in again") \
  R(kRevoked,          104, "revoked",           kInvalid,     "an operator revoked the token: log in again") \
  R(kClaimMismatch,    105, "claim_mismatch",    kInvalid,     "the token is not valid for this service: its claims do not have the required values") \
  R(kDeadline,         200, "deadline",          kUnavailable, "the Auth API did not answer within the timeout of the query: try again") \
  R(kUpstreamTimeout,  201, "upstream_timeout",  kUnavailable, "the request to the Auth API timed out: run claimsctl status") \
  R(kUpstreamConnect,  202, "upstream_connect",  kUnavailable, "cannot connect to the Auth API: check its URL, DNS and the network") \
  R(kUpstreamTls,      203, "upstream_tls",      kUnavailable, "the TLS connection to the Auth API failed: check its certificate and ca_file") \
  R(kUpstreamStatus,   204, "upstream_status",   kUnavailable, "the Auth API answered with a status that is neither 200 nor a rejection: check its log") \
  R(kUpstreamBody,     205, "upstream_body",     kUnavailable, "the answer of the Auth API is not a valid claims document: check the daemon's log") \
  R(kUpstreamTooLarge, 206, "upstream_too_large",kUnavailable, "the answer of the Auth API is larger than 256 KiB: check the Auth API's log") \
  R(kUpstreamProtocol, 207, "upstream_protocol", kUnavailable, "the Auth API closed the connection early or does not speak HTTP: check its log") \
  R(kOverloaded,       208, "overloaded",        kUnavailable, "too many requests are waiting for the Auth API (limits.max_pending): try again shortly") \
  R(kShuttingDown,     209, "shutting_down",     kUnavailable, "the daemon is stopping: try again shortly") \
  R(kBackoff,          210, "backoff",           kUnavailable, "the Auth API keeps failing and its circuit breaker is open: try again shortly") \
  R(kInternal,         211, "internal",          kUnavailable, "internal error of the daemon: check its log") \
  R(kRateLimited,       212, "rate_limited",       kUnavailable, "this uid exceeds limits.misses_per_uid, the rate limit for unknown tokens: try again later") \
  R(kNotRecorded,      213, "not_recorded",      kUnavailable, "the audit log did not accept the required record: run claimsctl status") \
  R(kRolesUnknown,     214, "roles_unknown",     kUnavailable, "the Auth API left out the user's roles, because there are too many: reduce the user's groups or use application roles") \
  R(kTooLong,          215, "too_long",          kUnavailable, "the token is longer than the daemon accepts: raise max_token_bytes of the upstream") \
  R(kClientRateLimited, 216, "client_rate_limited", kUnavailable, "this client address exceeds limits.misses_per_client, the rate limit for unknown tokens: try again later") \
  R(kTooManyWaiting,   217, "too_many_waiting",  kUnavailable, "limits.max_waiters queries are waiting: try again shortly") \
  R(kTooManyWaitingOfUid, 218, "too_many_waiting_of_uid", kUnavailable, "limits.max_waiters_per_uid queries of this uid are waiting: try again shortly") \
  R(kUpstreamCertificate, 220, "upstream_certificate", kUnavailable, "the Auth API requires a client certificate: set client_certificate and client_key") \
  R(kUpstreamCredentials, 221, "upstream_credentials", kUnavailable, "the Auth API rejects the daemon's own credentials: check client_id and client_secret_file") \
  R(kNotCurrent,       222, "not_current",       kUnavailable, "this host may lack revocations of its fleet: run claimsctl fleet") \
  R(kNoDaemon,         300, "no_daemon",         kUnavailable, "no claimsd listens on the socket: start it with systemctl start claimsd") \
  R(kNotPermitted,     301, "not_permitted",     kUnavailable, "this user may not use the socket: add it to group claimsd-clients or to daemon.allowed_uids") \
  R(kWrongDaemon,      302, "wrong_daemon",      kUnavailable, "the socket belongs to an untrusted user: check socket_path and daemon_uid") \
  R(kWrongUpstream,    303, "wrong_upstream",    kUnavailable, "the Auth API that this client expects is not an upstream of the daemon: compare the URLs") \
  R(kTimeout,          304, "timeout",           kUnavailable, "the daemon did not answer in time: run claimsctl status") \
  R(kDisconnected,     305, "disconnected",      kUnavailable, "the daemon closed the connection twice: check its log") \
  R(kProtocol,         306, "protocol",          kUnavailable, "the daemon speaks another protocol version: upgrade the older side") \
  R(kNoResources,      307, "no_resources",      kUnavailable, "this process is out of memory or file descriptors: raise its limits") \
  R(kNoReports,        308, "no_reports",        kUnavailable, "the daemon does not accept reports: upgrade it, or set audit.enabled = true") \
  R(kUnsafeDirectory,  309, "unsafe_directory",  kUnavailable, "users other than root and the daemon's can write to the socket's directory: give it to root, with mode 0755") \
  R(kTooManyConnections, 310, "too_many_connections", kUnavailable, "the daemon has daemon.max_connections connections: find the users with claimsctl top, or raise it") \
  R(kCanceled,         311, "canceled",          kUnavailable, "the caller canceled the query") \
  R(kTooManyOfUid,     312, "too_many_connections_of_uid", kUnavailable, "this uid has daemon.max_connections_per_uid connections: use fewer, or raise it") \
  R(kConnectsTooFast,  313, "connects_too_fast", kUnavailable, "this uid connects more often than daemon.connects_per_uid times a second: keep connections open, or raise it") \
  R(kNotConfigured,    314, "not_configured",    kUnavailable, "not configured: set upstream.main.url in /etc/claimsd/claimsd.toml, then: systemctl reload claimsd")
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

// A stable name for programs: "refused". Points at a NUL-terminated literal.
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
  return "the reason is unknown to this client: upgrade the client";
}

// Whether a query for an unknown token exceeded a rate limit.
constexpr bool exceeds_rate_limit(Reason reason) {
  return reason == Reason::kRateLimited || reason == Reason::kClientRateLimited;
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

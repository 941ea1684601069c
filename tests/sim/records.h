// records.h: the simulator's own record of what happened. The invariants use only this and never
// query the code under test.
//
// Plain data. Tokens, queries and requests are numbered and kept for the whole history. A Step
// holds what the core did in response to one event.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "daemon/claims/ports.h"

namespace claimsd::sim {

using TokenNumber = std::uint32_t;
using QueryNumber = std::uint32_t;
using RequestNumber = std::uint32_t;
using ReportNumber = std::uint32_t;

// The user that workers name in all reports.
inline constexpr std::string_view kClaimedUser = "claimed-user";

enum class TokenKind : std::uint8_t {
  kJwt,
  kWithoutIat,
  kOpaque,
  kJunk,
  kMalformed,
  kTooLong,
  kOld
};

// The Auth API's response, or the failure.
struct Response {
  proto::Reason failure = proto::Reason::kOk;
  int status = 200;
  std::uint32_t version = 0;  // of the user's claims
  bool broken_body = false;
  bool huge = false;  // the claims are too large to keep whole
  bool no_store = false;
  bool varies = false;  // Vary: *
  std::optional<seconds> max_age;
  seconds age{};
  seconds retry_after{};
};

// The connection that a request uses (connections.h).
struct UsedConnection {
  BootTime made;
  unsigned instance = 0;    // of the Auth API, to which it leads
  unsigned generation = 0;  // of the pool
  bool reused = false;
};

// A completed request that confirmed its token.
struct Confirmation {
  Now started;
  std::uint64_t completed = 0;  // step number
  Duration ttl{};               // the TTL without jitter
  bool no_store = false;
  bool huge = false;
  std::uint32_t version = 0;
  bool counts = true;  // neither expired nor revoked on arrival
};

struct Rejection {
  BootTime started;
  std::uint64_t completed = 0;  // step number
  std::uint64_t number = 0;     // among the rejections of this service instance
  unsigned instance = 0;
};

// The store's entry for a token.
struct Kept {
  bool present = false;
  bool disowned = false;  // it should have been erased, but the store failed
  claims::Entry entry;
  std::string claims;
};

struct Published {
  bool now = false;
  claims::LeaseEnd end;
  BootTime confirmed_at;
};

// Failures since the token last worked that may be caused by the token.
struct Failing {
  unsigned failures = 0;
  BootTime earliest{};  // lower bound for the next request
  BootTime latest{};    // upper bound of the token's own backoff
  BootTime forgotten{};
  bool holds(BootTime now) const { return failures > 0 && now < forgotten; }
};

struct TokenRecord {
  std::string text;
  claims::TokenKey key;
  claims::UpstreamId upstream = 0;
  TokenKind kind = TokenKind::kJwt;
  std::uint32_t user = 0;
  WallTime expires_at = WallTime::max();
  WallTime issued_at = WallTime::min();
  bool good = true;     // the Auth API's current verdict
  bool poison = false;  // every request for this token fails
  Failing failing;
  BootTime disputed_until{};  // confirmed and rejected by different instances

  std::vector<Confirmation> confirmations;
  std::optional<Rejection> refusal;  // the last one that completed
  std::vector<QueryNumber> open;     // not answered yet
  std::uint32_t queries = 0;
  std::uint32_t in_flight = 0;
  Kept kept;  // as returned by find()
  Published published;
};

// An answer that waits for its audit record.
struct HeldRecord {
  std::uint64_t step = 0;                       // of the first decision
  proto::Source source = proto::Source::kNone;  // of the first decision
  std::optional<RequestNumber> completed;       // the request that led to it
  BootTime confirmed_at;                        // of a valid answer
  // When a valid answer expires, and the lower bound of that.
  BootTime end;
  BootTime earliest_end;
};

struct QueryRecord {
  TokenNumber token = 0;
  std::uint64_t connection = 0;
  std::uint32_t uid = 0;
  Now asked;
  BootTime deadline;
  BootTime answer_by;  // the deadline, or slightly later if the timeout must be recorded
  std::optional<Duration> max_age;
  std::uint64_t step = 0;
  bool served_from_store = false;  // the cached entry must answer it
  bool answered = false;
  bool disconnected = false;
  bool room = false;   // no limit was reached at the time of the query
  bool known = false;  // the token was valid before
  bool has_address = false;
  std::optional<HeldRecord> held;
  bool waits = false;                   // waits for its record now
  std::vector<proto::Reason> recorded;  // recorded decisions
  bool withheld = false;                // its record failed
};

// A denial that a worker reports.
struct ReportRecord {
  TokenNumber token = 0;
  std::uint64_t connection = 0;
  std::uint32_t uid = 0;
  BootTime deadline;
  std::uint32_t unacknowledged = 0;
  bool in_store = false;  // the store could name the token's user
  bool disconnected = false;
  // What was submitted to the audit log, and the result.
  std::string user;
  bool claimed = false;
  bool aggregated = false;
  bool durable = false;
  bool failed = false;
  std::optional<proto::Reason> receipt;
};

struct RequestRecord {
  claims::FlightId id = 0;
  TokenNumber token = 0;
  Now started;
  Now first_started;  // start of the first attempt, for a retry
  std::size_t url = 0;
  Response response;
  bool completed = false;
  UsedConnection connection;
  bool checks = false;         // repeats a request whose rejection is doubted
  bool checked = false;        // the same, or a retry of such a check
  bool waited_for = false;     // had waiters when it started
  bool refreshes = false;      // a refresh-ahead: no waiters, and it was due
  const char* forbidden = "";  // why the Auth API's health forbids it, or ""
  unsigned instance = 0;       // service instance
};

struct AnswerRecord {
  QueryNumber query = 0;
  TokenNumber token = 0;
  proto::Reason reason = proto::Reason::kInternal;
  proto::Source source = proto::Source::kNone;
  std::uint16_t flags = 0;
  Duration age{};
  Duration ttl_remaining{};
  Duration retry_after{};
  bool has_claims = false;
  bool sound_claims = false;  // complete, with all parts from one user and version
  std::uint32_t user = 0;
  std::uint32_t version = 0;
  bool late = false;      // it waited for its record
  bool reversal = false;  // it supersedes a recorded decision
  // State at the time of the answer or decision.
  bool denied = false;  // by an order
  bool refresh_due = false;
  bool in_store = false;
  bool published = false;
  std::vector<proto::Reason> recorded;  // before the answer was sent
};

struct PutRecord {
  TokenNumber token = 0;
  claims::Entry entry;  // `claims` must not be read
  claims::Stored result = claims::Stored::kStored;
  bool revoked = false;  // by an earlier order
};

struct EraseRecord {
  TokenNumber token = 0;
  bool was_there = false;
  BootTime fresh_until;
  bool by_action = false;  // possibly an old one
};

struct PublicationRecord {
  TokenNumber token = 0;
  BootTime confirmed_at;
  claims::LeaseEnd end;
  std::uint32_t version = 0;
  bool revoked = false;
};

struct ActionRecord;

struct Step {
  std::uint64_t number = 0;
  bool is_tick = false;
  Now now;
  std::vector<QueryNumber> asked;
  std::vector<AnswerRecord> answers;  // sent in this step
  // Decisions of this step: answers that need no record, and answers that start to wait for one.
  // Causes are checked here; age, TTL and claims only when the answer is sent.
  std::vector<AnswerRecord> decisions;
  std::vector<QueryNumber> released;  // their records became durable or failed
  std::vector<RequestNumber> started;
  std::optional<RequestNumber> completed;
  bool sent_again = false;  // the completed request was retried, or its rejection is checked
  bool noted = false;       // the completed request was counted in the Auth API's health
  std::vector<PutRecord> puts;
  std::vector<EraseRecord> erases;
  std::vector<PublicationRecord> publications;
  std::vector<std::string> leases_recorded;  // recorded since this step; their tokens
  std::vector<ReportNumber> reported;        // submitted to the audit log
  std::vector<ReportNumber> receipts;
  std::size_t kept_before = 0;
  bool restarted = false;
  std::optional<std::size_t> order;  // executed in this step
  std::string broken_port;           // how a port's contract was violated

  void begin(std::uint64_t step, const Now& at, std::size_t kept);
};

// All records of one history; the ports write into it.
class Records {
 public:
  Records();
  ~Records();
  Records(const Records&) = delete;
  Records& operator=(const Records&) = delete;

  TokenRecord& token(TokenNumber number) { return tokens[number]; }
  const TokenRecord& token(TokenNumber number) const { return tokens[number]; }
  TokenNumber add_token(TokenRecord record);
  // The token with this key; nullopt if the key was never issued.
  std::optional<TokenNumber> find(const claims::TokenKey& key) const;

  // True if an order invalidates the token.
  bool denied(const TokenRecord& token) const;
  // The same, including orders that may have ended or been lost.
  bool perhaps_denied(const TokenRecord& token) const;
  // True if the token is invalid or this confirmation was purged.
  bool revoked(const TokenRecord& token, BootTime confirmed_at) const;
  // Ends orders as time passes.
  void age_orders(const Now& now, Duration margin);

  // Retries and checks of the current service instance.
  std::uint64_t again() const {
    return upstreams[0].again + upstreams[1].again + upstreams[0].checks + upstreams[1].checks;
  }

  // Removes a query from the lists of open queries.
  void close(QueryNumber number);
  // The answer is decided and waits for its record.
  void hold(QueryNumber number, const HeldRecord& held);
  void add_deadline(BootTime deadline, QueryNumber query);
  // The earliest deadline of an open query.
  std::optional<BootTime> next_deadline();

  std::deque<TokenRecord> tokens;
  std::vector<QueryRecord> queries;
  std::vector<RequestRecord> requests;
  std::vector<ReportRecord> reports;
  std::vector<ActionRecord> orders;
  Step step;
  std::size_t open = 0;       // queries
  std::size_t held = 0;       // of these, the decided ones
  std::size_t in_flight = 0;  // requests
  struct OfUpstream {
    std::size_t in_flight = 0;
    std::uint64_t started = 0;  // without retries
    std::uint64_t again = 0;
    std::uint64_t checks = 0;  // of rejections
    // Checks that agreed since one disagreed, with less than RejectionCheck::kBelieved in between.
    unsigned agreements = 0;
    BootTime last_agreement{};
  };
  std::array<OfUpstream, 2> upstreams;
  struct OfUid {
    std::size_t open = 0;
    std::size_t held = 0;
    // Of the current service instance.
    std::uint64_t asked = 0;
    std::uint64_t of_known = 0;
    std::uint64_t reports = 0;
  };
  std::array<OfUid, 8> uids;
  std::uint64_t stale = 0;       // answers
  BootTime begun;                // start of the service
  std::uint64_t first_step = 0;  // of the current service instance
  std::size_t kept = 0;          // entries in the store
  bool stopping = false;
  bool complete = true;  // false: this host may lack revocations of its fleet
  // Of the current service instance.
  unsigned instance = 0;
  std::uint64_t asked = 0;
  std::uint64_t started = 0;
  std::uint64_t completed = 0;
  std::uint64_t refusals = 0;
  std::array<std::uint64_t, 4> verdicts{};
  std::uint64_t lost_reports = 0;

  // Derives a key from upstream and token.
  static claims::TokenKey key_of(claims::UpstreamId upstream, std::string_view text);

 private:
  std::unordered_map<std::uint64_t, TokenNumber> by_key_;
  std::vector<std::pair<BootTime, QueryNumber>> deadlines_;  // a heap
};

}  // namespace claimsd::sim

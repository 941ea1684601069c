// records.h: what the simulator itself knows to have happened. The invariants judge by this alone,
// never by asking the code that is being judged.
//
// Everything is plain data. Tokens, questions and requests are numbered and stay for the whole
// history. A Step holds what the core did in answer to one event.
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
using QuestionNumber = std::uint32_t;
using RequestNumber = std::uint32_t;
using ReportNumber = std::uint32_t;

// Whom a worker reports, whoever it was.
inline constexpr std::string_view kClaimedUser = "somebody";

enum class TokenKind : std::uint8_t { kJwt, kUndated, kOpaque, kJunk, kMalformed, kTooLong, kOld };

// What the Auth API sent, or why nothing came.
struct Response {
  proto::Reason failure = proto::Reason::kOk;
  int status = 200;
  std::uint32_t version = 0;  // of the user's claims
  bool broken_body = false;
  bool huge = false;  // its claims are too large to keep whole
  bool no_store = false;
  bool varies = false;  // Vary: *
  std::optional<daemon::seconds> max_age;
  daemon::seconds age{};
  daemon::seconds retry_after{};
};

// The end of a request that confirmed its token.
struct Confirmation {
  daemon::Now started;
  std::uint64_t landed = 0;  // step
  daemon::Duration life{};   // by the rule, without jitter
  bool no_store = false;
  bool huge = false;
  std::uint32_t version = 0;
  bool counts = true;  // neither expired nor denied when it came
};

struct Refusal {
  daemon::BootTime started;
  std::uint64_t landed = 0;  // step
  std::uint64_t number = 0;  // of this service's refusals
  unsigned instance = 0;
};

// What the store holds of a token.
struct Kept {
  bool present = false;
  bool disowned = false;  // it could not be erased when it should have been
  daemon::Entry entry;
  std::string claims;
};

struct Shown {
  bool now = false;
  daemon::LeaseEnd end;
  daemon::BootTime confirmed_at;
};

// A token's failures that may be its own doing, since it last worked.
struct Failing {
  unsigned failures = 0;
  daemon::BootTime earliest{};  // of the next request for it
  daemon::BootTime latest{};    // from then on it is not left alone for its own sake
  daemon::BootTime forgotten{};
  bool holds(daemon::BootTime now) const { return failures > 0 && now < forgotten; }
};

struct TokenRecord {
  std::string text;
  daemon::TokenKey key;
  daemon::UpstreamId upstream = 0;
  TokenKind kind = TokenKind::kJwt;
  std::uint32_t user = 0;
  daemon::WallTime expires_at = daemon::WallTime::max();
  daemon::WallTime issued_at = daemon::WallTime::min();
  bool good = true;     // what the Auth API thinks of it now
  bool poison = false;  // it fails whenever it is asked about this one
  Failing failing;

  std::vector<Confirmation> confirmations;
  std::optional<Refusal> refusal;    // the last to land
  std::vector<QuestionNumber> open;  // not answered yet
  std::uint32_t questions = 0;
  std::uint32_t flying = 0;
  Kept kept;     // as find() shows it
  Kept durable;  // as a killed daemon leaves it
  Shown shown;
};

// An answer that waits for its audit record.
struct HeldRecord {
  std::uint64_t step = 0;                       // in which it was decided first
  proto::Source source = proto::Source::kNone;  // of that decision
  std::optional<RequestNumber> landed;          // that led to it
  daemon::BootTime confirmed_at;                // of a valid one
  // When a valid one's life ends by the rule, and when at the earliest that may be.
  daemon::BootTime end;
  daemon::BootTime earliest_end;
};

struct QuestionRecord {
  TokenNumber token = 0;
  std::uint64_t connection = 0;
  std::uint32_t uid = 0;
  daemon::Now asked;
  daemon::BootTime deadline;
  daemon::BootTime answer_by;  // the deadline, or a little later when the record of that waits
  std::optional<daemon::Duration> max_age;
  std::uint64_t step = 0;
  bool served_from_store = false;  // what the store holds must answer it
  bool answered = false;
  bool left = false;   // its connection closed
  bool room = false;   // there was room for it, by every limit, when it was asked
  bool known = false;  // the token was valid before
  bool has_address = false;
  std::optional<HeldRecord> held;
  bool waits = false;                   // for its record, now
  std::vector<proto::Reason> recorded;  // what the audit log holds of its answer
  bool withheld = false;                // it did not take that
};

// A refusal that a worker reports.
struct ReportRecord {
  TokenNumber token = 0;
  std::uint64_t connection = 0;
  std::uint32_t uid = 0;
  daemon::BootTime deadline;
  std::uint32_t unacknowledged = 0;
  bool in_store = false;  // the store could say whose token it is
  bool left = false;      // its connection closed
  // What the audit log was told, and what it made of it.
  std::string user;
  bool claimed = false;
  bool brief = false;
  bool durable = false;
  bool failed = false;
  std::optional<proto::Reason> receipt;
};

struct RequestRecord {
  daemon::FlightId id = 0;
  TokenNumber token = 0;
  daemon::Now started;
  daemon::Now first_started;  // where it is a request made again: the first one's start
  std::size_t url = 0;
  Response response;
  bool landed = false;
  bool waited_for = false;     // when it started
  bool refreshes = false;      // nobody waited, and it was time to ask ahead
  const char* forbidden = "";  // by the Auth API's health: why
  unsigned instance = 0;       // of the service
};

struct AnswerRecord {
  QuestionNumber question = 0;
  TokenNumber token = 0;
  proto::Reason reason = proto::Reason::kInternal;
  proto::Source source = proto::Source::kNone;
  std::uint16_t flags = 0;
  daemon::Duration age{};
  daemon::Duration left{};
  daemon::Duration retry_after{};
  bool has_claims = false;
  bool sound_claims = false;  // whole, and all parts of one user and version:
  std::uint32_t user = 0;
  std::uint32_t version = 0;
  bool late = false;      // it has waited for its record
  bool reversal = false;  // of a decision that was recorded
  // When it was given, or decided.
  bool denied = false;  // by an order
  bool refresh_due = false;
  bool in_store = false;
  bool shown = false;
  std::vector<proto::Reason> recorded;  // before it was given
};

struct PutRecord {
  TokenNumber token = 0;
  daemon::Entry entry;  // `claims` is not to be read
  daemon::Stored result = daemon::Stored::kStored;
  bool taken_back = false;  // by an order, before
};

struct EraseRecord {
  TokenNumber token = 0;
  bool was_there = false;
  daemon::BootTime fresh_until;
  bool by_order = false;  // an operator's, perhaps of long ago
};

struct PublicationRecord {
  TokenNumber token = 0;
  daemon::BootTime confirmed_at;
  daemon::LeaseEnd end;
  std::uint32_t version = 0;
  bool taken_back = false;
};

struct OrderRecord;

struct Step {
  std::uint64_t number = 0;
  bool is_tick = false;
  daemon::Now now;
  std::vector<QuestionNumber> asked;
  std::vector<AnswerRecord> answers;  // given
  // Those of them that waited for no record, and those that do from now on. Why something was
  // decided is judged by these; age, life and claims are known of what is given alone.
  std::vector<AnswerRecord> decisions;
  std::vector<QuestionNumber> completed;  // whose record is on disk, or lost
  std::vector<RequestNumber> started;
  std::optional<RequestNumber> landed;
  bool sent_again = false;  // what landed: to the next URL
  bool noted = false;       // what landed: in the Auth API's health
  std::vector<PutRecord> puts;
  std::vector<EraseRecord> erases;
  std::vector<PublicationRecord> publications;
  std::vector<std::string> leases_recorded;  // on disk since this step; their tokens
  std::vector<ReportNumber> reported;        // to the audit log
  std::vector<ReportNumber> receipts;
  std::size_t kept_before = 0;
  bool restarted = false;
  std::optional<std::size_t> order;  // carried out in it
  std::string broken_port;           // a port was used against its contract: how

  void begin(std::uint64_t step, const daemon::Now& at, std::size_t kept);
};

// All of it. One history's; the ports write into it.
class Records {
 public:
  Records();
  ~Records();
  Records(const Records&) = delete;
  Records& operator=(const Records&) = delete;

  TokenRecord& token(TokenNumber number) { return tokens[number]; }
  const TokenRecord& token(TokenNumber number) const { return tokens[number]; }
  TokenNumber add_token(TokenRecord record);
  // The token with this key; none: the key was never given out.
  std::optional<TokenNumber> find(const daemon::TokenKey& key) const;

  // Is the token denied by an order?
  bool denied(const TokenRecord& token) const;
  // By one that may be over, or lost?
  bool perhaps_denied(const TokenRecord& token) const;
  // Is it, or does this confirmation count for nothing after a purge?
  bool taken_back(const TokenRecord& token, daemon::BootTime confirmed_at) const;
  // Orders end with time.
  void age_orders(const daemon::Now& now, daemon::Duration margin);

  // Requests made again, of the service that runs now.
  std::uint64_t again() const { return upstreams[0].again + upstreams[1].again; }

  // Takes a question off the lists of open ones.
  void close(QuestionNumber number);
  // Its answer is decided, and waits for its record.
  void hold(QuestionNumber number, const HeldRecord& held);
  void add_deadline(daemon::BootTime deadline, QuestionNumber question);
  // The earliest deadline of an open question.
  std::optional<daemon::BootTime> next_deadline();

  std::deque<TokenRecord> tokens;
  std::vector<QuestionRecord> questions;
  std::vector<RequestRecord> requests;
  std::vector<ReportRecord> reports;
  std::vector<OrderRecord> orders;
  Step step;
  std::size_t open = 0;    // questions
  std::size_t held = 0;    // of these: decided
  std::size_t flying = 0;  // requests
  struct OfUpstream {
    std::size_t flying = 0;
    std::uint64_t started = 0;  // without those made again
    std::uint64_t again = 0;
  };
  std::array<OfUpstream, 2> upstreams;
  struct OfUid {
    std::size_t open = 0;
    std::size_t held = 0;
    // Questions to the service that runs now.
    std::uint64_t asked = 0;
    std::uint64_t of_known = 0;
    std::uint64_t reports = 0;
  };
  std::array<OfUid, 8> uids;
  std::uint64_t stale = 0;       // answers
  daemon::BootTime begun;        // when the service was started
  std::uint64_t first_step = 0;  // of the service
  std::size_t kept = 0;          // entries in the store
  bool stopping = false;
  // Of the service that runs now.
  unsigned instance = 0;
  std::uint64_t asked = 0;
  std::uint64_t started = 0;
  std::uint64_t landed = 0;
  std::uint64_t refusals = 0;
  std::array<std::uint64_t, 4> verdicts{};
  std::uint64_t lost_reports = 0;

  // Keys by upstream and text.
  static daemon::TokenKey key_of(daemon::UpstreamId upstream, std::string_view text);

 private:
  std::unordered_map<std::uint64_t, TokenNumber> by_key_;
  std::vector<std::pair<daemon::BootTime, QuestionNumber>> deadlines_;  // a heap
};

}  // namespace claimsd::sim

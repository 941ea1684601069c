// pending_answers.h: answers, leases and receipts that wait for their audit records.
//
// Bookkeeping only: tickets, deadlines and connections. Answers about the same token share one copy
// of its claims (PendingSubject), which is wiped on destruction. Owned by PendingAudit; loop thread.
#pragma once

#include <memory>
#include <optional>
#include <set>
#include <unordered_map>
#include <vector>

#include "daemon/base/secret.h"
#include "daemon/claims/audit/audit_sink.h"
#include "daemon/claims/parse/jwt_parser.h"

namespace claimsd::claims {

// Token, claims and document of a valid answer, kept to revalidate it. Adds its size to `sum` while
// it exists.
class PendingSubject {
 public:
  PendingSubject(const TokenKey& of, std::string_view its_token, std::string_view its_claims,
                 std::string_view its_document, std::size_t& sum);
  ~PendingSubject();
  PendingSubject(const PendingSubject&) = delete;
  PendingSubject& operator=(const PendingSubject&) = delete;
  static std::size_t size_of(std::string_view token, std::string_view claims,
                             std::string_view document = {}) {
    return sizeof(PendingSubject) + token.size() + claims.size() + document.size();
  }

  const TokenKey key;
  const Secret token;
  const Secret claims;
  const Secret document;  // "" unless the query wanted it
  const JwtTimes times;

 private:
  std::size_t& sum_;
};

enum class PendingKind : std::uint8_t {
  kAnswer,
  kLease,   // a lease waits; no answer does
  kReport,  // the receipt of a report waits
};

struct PendingAnswer {
  PendingKind kind = PendingKind::kAnswer;
  Waiter waiter;  // connection 0: no waiter, but a lease may be published
  std::uint32_t uid = 0;
  UpstreamId upstream = 0;
  Answer answer;                            // its claims and document are in `subject`
  std::shared_ptr<PendingSubject> subject;  // null unless the answer is valid
  BootTime settled_at{};  // start of the confirming request; the age counts from here
  BootTime until{};       // a valid answer must not be sent from then on
  BootTime deadline{};
  bool wants_lease = false;  // publish a lease after the answer is sent
  bool rejected = false;     // rejected by a later request than the one that confirmed it
};

class PendingAnswers {
 public:
  // Limit for the total size of held claims, documents and tokens.
  static constexpr std::size_t kMaxBytes = 64 << 20;

  // True if an answer of `bytes` bytes still fits.
  bool has_room(std::size_t bytes) const { return bytes_ + bytes <= kMaxBytes; }
  // Returns a subject that several answers may share.
  std::shared_ptr<PendingSubject> subject(const TokenKey& key, std::string_view token,
                                          std::string_view claims, std::string_view document = {});
  AuditTicket next_ticket() { return ++last_ticket_; }
  // Tickets must be ascending; gaps are allowed.
  void add(AuditTicket ticket, PendingAnswer pending);

  // Nullopt if the answer has already been released.
  std::optional<PendingAnswer> take(AuditTicket ticket);
  // Removes and returns all answers whose deadline has passed.
  std::vector<PendingAnswer> take_overdue(BootTime now);
  void drop_connection(std::uint64_t connection);
  // The Auth API rejected this token in a request that started at `started`.
  void reject(const TokenKey& key, BootTime started);
  bool awaits_lease(const TokenKey& key) const { return leases_.count(key) != 0; }

  // Lower bound of all deadlines; take_overdue() may find none.
  std::optional<BootTime> next_deadline() const;
  // Number of answers and receipts, without leases: no client waits for those.
  std::size_t waiting() const { return count_ - leases_.size(); }

 private:
  using Position = std::uint64_t;  // counts all answers ever held; 0: none
  // Answers of one connection form a linked list, newest first.
  struct Slot {
    AuditTicket ticket = 0;  // also set after the answer has left
    std::optional<PendingAnswer> pending;
    Position newer = 0;
    Position older = 0;
  };
  static constexpr std::size_t kFirstSize = 64;

  Slot& place_of(Position at) { return ring_[at & (ring_.size() - 1)]; }
  Position find(AuditTicket ticket);
  void grow();
  void link(Position at, std::uint64_t connection);
  void unlink(const Slot& place, std::uint64_t connection);
  PendingAnswer drop(Position at);

  std::size_t bytes_ = 0;  // outlives the subjects, which subtract themselves from it
  // Answers leave roughly in order of arrival, so they live in a ring whose size is a power of two,
  // from the oldest held to the newest. A tree would cost four allocations for each rejection of a
  // flood.
  std::vector<Slot> ring_{kFirstSize};
  Position first_ = 1;  // is held, unless the ring is empty
  Position last_ = 0;
  std::size_t count_ = 0;
  BootTime earliest_{};                                               // no deadline is earlier
  std::unordered_map<std::uint64_t, Position> by_connection_;         // newest of each connection
  std::unordered_multimap<TokenKey, Position, TokenKeyHash> by_key_;  // valid answers only
  std::set<TokenKey> leases_;
  std::weak_ptr<PendingSubject> last_subject_;
  AuditTicket last_ticket_ = 0;
};

}  // namespace claimsd::claims

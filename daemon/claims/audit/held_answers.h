// held_answers.h: answers, leases and receipts that wait for their audit records.
//
// Pure bookkeeping: who is held, for how long at most, and by whose connection. What an answer says
// of a user is kept once for all who wait for the same (HeldSubject), and wiped when it goes. Owned
// by ClaimsService; loop thread.
#pragma once

#include <memory>
#include <optional>
#include <set>
#include <unordered_map>
#include <vector>

#include "daemon/base/secret.h"
#include "daemon/claims/audit/audit_trail.h"
#include "daemon/claims/parse/jwt_parser.h"

namespace claimsd::daemon {

// What a valid answer is about: needed to decide it again. Counts itself into a sum of bytes for as
// long as it lives.
class HeldSubject {
 public:
  HeldSubject(const TokenKey& of, std::string_view its_token, std::string_view its_claims,
              std::size_t& sum);
  ~HeldSubject();
  HeldSubject(const HeldSubject&) = delete;
  HeldSubject& operator=(const HeldSubject&) = delete;
  static std::size_t size_of(std::string_view token, std::string_view claims) {
    return sizeof(HeldSubject) + token.size() + claims.size();
  }

  const TokenKey key;
  const Secret token;
  const Secret claims;
  const JwtTimes times;

 private:
  std::size_t& sum_;
};

enum class HeldKind : std::uint8_t {
  kAnswer,
  kLease,   // nothing is answered: the lease itself waits
  kReport,  // its receipt waits
};

struct Held {
  HeldKind kind = HeldKind::kAnswer;
  Waiter waiter;  // connection 0: nobody waits, but a lease may be shown
  std::uint32_t uid = 0;
  UpstreamId upstream = 0;
  Answer answer;                         // its claims are the subject's
  std::shared_ptr<HeldSubject> subject;  // of a valid answer alone
  BootTime settled_at{};                 // when the Auth API was asked; its age counts from here
  BootTime until{};                      // a valid one is not given from then on
  BootTime deadline{};
  bool wants_lease = false;  // once it has left
  bool refused = false;      // by a request that started after the one that confirmed it
};

class HeldAnswers {
 public:
  // Beyond so many bytes of claims and tokens nothing more is held.
  static constexpr std::size_t kMaxBytes = 64 << 20;

  // For one more, of so many bytes.
  bool has_room(std::size_t bytes) const { return bytes_ + bytes <= kMaxBytes; }
  // A subject that several answers may share.
  std::shared_ptr<HeldSubject> subject(const TokenKey& key, std::string_view token,
                                       std::string_view claims);
  AuditTicket next_ticket() { return ++last_ticket_; }
  // In the order of their tickets, of which not all need be held.
  void hold(AuditTicket ticket, Held held);

  // Nothing where it has left already.
  std::optional<Held> take(AuditTicket ticket);
  // All whose deadline has come.
  std::vector<Held> take_overdue(BootTime now);
  void forget(std::uint64_t connection);
  // The Auth API has refused this token to a request that started at `started`.
  void refuse(const TokenKey& key, BootTime started);
  bool awaits_lease(const TokenKey& key) const { return leases_.count(key) != 0; }

  // No deadline comes before; take_overdue() then may find none.
  std::optional<BootTime> next_deadline() const;
  // Answers; leases hold nobody up.
  std::size_t waiting() const { return count_ - leases_.size(); }

 private:
  using Position = std::uint64_t;  // counts what was ever held; 0: none
  // Those of one connection are linked, the newest first.
  struct Place {
    AuditTicket ticket = 0;  // also of one that has left
    std::optional<Held> held;
    Position newer = 0;
    Position older = 0;
  };
  static constexpr std::size_t kFirstSize = 64;

  Place& place_of(Position at) { return ring_[at & (ring_.size() - 1)]; }
  Position find(AuditTicket ticket);
  void grow();
  void link(Position at, std::uint64_t connection);
  void unlink(const Place& place, std::uint64_t connection);
  Held drop(Position at);

  std::size_t bytes_ = 0;  // outlives the subjects, which count themselves out of it
  // What has waited longest mostly leaves first: a ring, a power of two of places, from the oldest
  // that is still held to the newest. A flood's refusals come through here, each of which would
  // cost a tree four allocations.
  std::vector<Place> ring_{kFirstSize};
  Position first_ = 1;  // is held, where anything is
  Position last_ = 0;
  std::size_t count_ = 0;
  BootTime earliest_{};                                               // no deadline is before it
  std::unordered_map<std::uint64_t, Position> by_connection_;         // the newest of each
  std::unordered_multimap<TokenKey, Position, TokenKeyHash> by_key_;  // valid ones
  std::set<TokenKey> leases_;
  std::weak_ptr<HeldSubject> last_subject_;
  AuditTicket last_ticket_ = 0;
};

}  // namespace claimsd::daemon

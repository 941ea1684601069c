// intake.h: the queue of records for the next commit. It is bounded, shared fairly between peers,
// and folds floods. No I/O, no clock; not thread-safe: its owner AuditLog holds a lock.
//
// Folding keeps the sum of counts exact:
//   - Events that differ only in time and duration become one record (same peer, reason, token, …).
//   - Events without a known user become one "various" record, without token, process and route,
//     once a uid, event, reason and upstream exceed policy.max_distinct records in a commit, or
//     policy.max_distinct_a_second over several commits. This bounds a flood of random tokens.
//   - An event submitted as various goes straight into that record.
//   - Repeated outage events of one cause become one record per second (outage_folds.h).
//   - Beyond policy.max_bytes_per_uid a uid's reports are counted, not written, and its other events
//     without a known user go into that record (uid_quota.h).
// Operator actions are never folded, and never rejected for exceeding a share.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "daemon/audit/outage_folds.h"
#include "daemon/audit/policy.h"
#include "daemon/audit/record.h"
#include "daemon/audit/uid_quota.h"

namespace claimsd::audit {

// Counts of events that were not recorded.
struct Losses {
  std::uint64_t denied = 0;   // and not answered
  std::uint64_t allowed = 0;  // but answered
  Now first{};
  WallTime last{};

  std::uint64_t events() const { return denied + allowed; }
  bool any() const { return events() > 0; }
  void add(std::uint64_t count, claims::AuditDecision verdict, const Now& from, WallTime to);
  void add(const Losses& more);
};

// The `gap` record for these losses.
Record gap_record(const Losses& losses);

// True for events that are never folded, rejected for a share, or discarded when the disk fails.
bool must_be_kept(Event event);

// The content of one commit, in the order in which it happened. Every ticket waits for all records,
// because they are written in one transaction.
struct Batch {
  std::vector<Record> records;
  std::vector<claims::AuditTicket> tickets;
  Losses losses;  // a gap record for these is still to be added

  bool empty() const { return records.empty() && !losses.any(); }
};

class Intake {
 public:
  explicit Intake(const Policy& policy) : policy_(policy), quota_(policy.max_bytes_per_uid) {}

  // Events below the level proceed unrecorded. `ticket` is kept only with kPending, which is returned
  // only if `may_wait`.
  claims::AuditDecision submit(Record record, claims::AuditTicket ticket, bool may_wait = true);
  // The same, but only if the event can be folded into an existing "various" record, so that its
  // token need not be fingerprinted. Returns nothing otherwise.
  std::optional<claims::AuditDecision> submit_folded(const Record& record,
                                                     claims::AuditTicket ticket,
                                                     bool may_wait = true);
  void lose(const Losses& losses) { batch_.losses.add(losses); }
  // Events that no gap record names yet.
  const Losses& losses() const { return batch_.losses; }
  // All events that submit() did not accept since start, denied or allowed.
  const Losses& refused() const { return refused_; }

  // While the disk is failing, submitted events are lost at once, except operator actions, whose
  // answers do not wait for a record.
  void set_broken(bool broken) { broken_ = broken; }

  bool empty() const { return batch_.empty(); }
  // `now`: may be left out if it is not later than the newest event. `last`: with every summary of
  // the quotas, because no other batch follows.
  Batch take(BootTime now = {}, bool last = false);
  // Reports counted and not written, since start.
  std::uint64_t over_quota() const { return quota_.counted(); }

 private:
  struct Group {
    std::size_t distinct = 0;
    std::size_t various = 0;  // position in the batch plus 1; 0: none
  };
  struct Naming {  // a group's records that are not various, over several batches
    BootTime since{};
    std::size_t named = 0;
  };
  struct Peer {
    std::size_t records = 0;
    std::size_t tickets = 0;
  };

  bool fold(const Record& record, const std::string& same, const std::string& group);
  bool fold_into_various(const Record& record, const std::string& group);
  bool is_various(const Record& record, const std::string& group, Group& alike);
  bool may_hold(const Peer& peer, claims::AuditTicket ticket, bool may_wait) const;
  claims::AuditDecision admit(Peer& peer, claims::AuditTicket ticket);
  bool has_room(const Record& record, const Peer& peer) const;
  claims::AuditDecision refuse(const Record& record);
  void keep(Record record, const std::string& same, const std::string& group);

  Policy policy_;
  Batch batch_;
  Losses refused_;
  std::unordered_map<std::string, std::size_t> same_;  // to the position in the batch
  std::unordered_map<std::string, Group> groups_;
  std::unordered_map<std::string, Naming> naming_;  // by group, per second
  BootTime newest_{};                               // latest time submitted
  std::unordered_map<std::uint32_t, Peer> peers_;   // by uid
  UidQuota quota_;
  OutageFolds outages_;
  bool broken_ = false;
};

}  // namespace claimsd::audit

// intake.h: what waits for the next commit of the audit log: bounded, shared fairly between peers,
// floods folded. No I/O, no clock, no thread: audit_log.h puts a lock around it.
//
// Folding keeps the sum of counts exact:
//   - events alike in everything but time and duration become one record (same peer, reason,
//     token, …);
//   - beyond policy.max_distinct records of one uid, event, reason and upstream, or beyond
//     policy.max_distinct_a_second of several commits, events without a known user become one
//     "various" record without token, process and route: what a flood of random tokens leaves. What
//     is submitted as various already goes there at once.
// What an operator did is never folded nor refused for a share.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "daemon/audit/policy.h"
#include "daemon/audit/record.h"

namespace claimsd::daemon {

// Events that no record was made of.
struct AuditLosses {
  std::uint64_t denied = 0;   // and not answered
  std::uint64_t allowed = 0;  // and answered all the same
  Now first{};
  WallTime last{};

  std::uint64_t events() const { return denied + allowed; }
  bool any() const { return events() > 0; }
  void add(std::uint64_t count, AuditVerdict verdict, const Now& from, WallTime to);
  void add(const AuditLosses& more);
};

// The record of them.
AuditRecord gap_record(const AuditLosses& losses);

// Never folded, nor refused for a share, nor given up when the disk fails.
bool must_be_kept(AuditEvent event);

// What one commit writes, in the order in which it happened. All tickets wait for all records: it
// is one transaction.
struct AuditBatch {
  std::vector<AuditRecord> records;
  std::vector<AuditTicket> tickets;
  AuditLosses losses;  // a record of them is still to be made

  bool empty() const { return records.empty() && !losses.any(); }
};

class AuditIntake {
 public:
  explicit AuditIntake(const AuditPolicy& policy) : policy_(policy) {}

  // An event below the level goes, unrecorded. `ticket` is kept only with kWait, which only those
  // are given who `may_wait`.
  AuditVerdict submit(AuditRecord record, AuditTicket ticket, bool may_wait = true);
  // The same where the event goes into a "various" record that there is already, so that its token
  // need not have been named; nothing where it does not.
  std::optional<AuditVerdict> submit_folded(const AuditRecord& record, AuditTicket ticket,
                                            bool may_wait = true);
  void lose(const AuditLosses& losses) { batch_.losses.add(losses); }
  // All that submit() did not take, so far.
  const AuditLosses& refused() const { return refused_; }

  // While the disk takes nothing: what is submitted is lost at once, apart from an operator's
  // doings, of which nobody waits for the answer.
  void set_broken(bool broken) { broken_ = broken; }

  bool empty() const { return batch_.empty(); }
  AuditBatch take();

 private:
  struct Group {
    std::size_t distinct = 0;
    std::size_t various = 0;  // its position in the batch plus 1
  };
  struct Naming {  // of a group's records that are not various, through several batches
    BootTime since{};
    std::size_t named = 0;
  };
  struct Peer {
    std::size_t records = 0;
    std::size_t tickets = 0;
  };

  bool fold(const AuditRecord& record, const std::string& same, const std::string& group);
  bool fold_into_various(const AuditRecord& record, const std::string& group);
  bool is_various(const AuditRecord& record, const std::string& group, Group& alike);
  bool may_hold(const Peer& peer, AuditTicket ticket, bool may_wait) const;
  AuditVerdict admit(Peer& peer, AuditTicket ticket);
  bool has_room(const AuditRecord& record, const Peer& peer) const;
  AuditVerdict refuse(const AuditRecord& record);

  AuditPolicy policy_;
  AuditBatch batch_;
  AuditLosses refused_;
  std::unordered_map<std::string, std::size_t> same_;  // to the position in the batch
  std::unordered_map<std::string, Group> groups_;
  std::unordered_map<std::string, Naming> naming_;  // by group; of a second
  BootTime newest_{};                               // what was submitted
  std::unordered_map<std::uint32_t, Peer> peers_;   // by uid
  bool broken_ = false;
};

}  // namespace claimsd::daemon

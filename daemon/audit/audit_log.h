// audit_log.h: the audit log as used by the daemon. The loop submits events; a dedicated thread
// writes them durably, many per transaction, and reports when their answers may be sent.
//
// Call submit() and finished() on the loop thread. The hooks run on the log's thread and must
// forward to the loop (MessageQueue). Both directions are bounded: records awaiting a commit by the
// policy, completions not yet finished() by its max_tickets.
//
// While the disk fails nothing is acknowledged. New events are denied or counted, as the policy
// says, and every `retry` the log tries to recover. The first record after recovery is a gap, also
// after a restart (withheld_file.h).
// Operator actions are kept in memory and written then.
#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "daemon/audit/anchors.h"
#include "daemon/audit/audit_stats.h"
#include "daemon/audit/audit_store.h"
#include "daemon/audit/clock_agreement.h"
#include "daemon/audit/intake.h"
#include "daemon/audit/withheld_file.h"
#include "daemon/log/log.h"

namespace claimsd::audit {

struct Completion {
  claims::AuditTicket ticket = 0;
  claims::AuditDecision verdict = claims::AuditDecision::kUnavailable;  // kProceed or kUnavailable
};

struct Hooks {
  std::function<void(std::vector<Completion>&&)> completed;
  // Receives a line to store outside the log, in the journal. May be called from within start().
  std::function<void(const std::string& line)> anchored;
};

class AuditLog {
 public:
  struct Options {
    StoreOptions store;
    Policy policy;
    std::uint64_t anchor_records = 1000;  // an anchor at least every this many records
    Duration anchor_after = seconds(60);  // and at most this long after a record without one
    Duration retry = seconds(1);
  };

  // Starts the thread. The references must outlive the log. From here on only the thread uses
  // `random`.
  static Result<std::unique_ptr<AuditLog>> start(const Options& options, const Clock& clock,
                                                 Random& random, Log& log, Hooks hooks);
  // Calls stop().
  ~AuditLog();
  AuditLog(const AuditLog&) = delete;
  AuditLog& operator=(const AuditLog&) = delete;

  // On kPending the ticket is completed exactly once, unless stop() is called first.
  claims::AuditDecision submit(Record record, claims::AuditTicket ticket);
  // The same without a token fingerprint, for an event that is folded into a "various" record.
  // Returns nothing if it cannot be folded; then call submit().
  std::optional<claims::AuditDecision> submit_folded(const Record& record,
                                                     claims::AuditTicket ticket);
  // Reports that this many completions were consumed.
  void finished(std::size_t tickets) { outstanding_ -= tickets; }

  // The next commits repeat the head of the revocations. Loop thread.
  void note_revocations(const claims::SetHead& head);

  // Runs `job` on the log's thread between two commits. Pending answers wait for it, so keep jobs
  // short. Used to query the log of a running daemon.
  void read(std::function<void(const Store&)> job);

  // Writes pending records and a last anchor, then joins the thread.
  void stop();

  Stats stats() const;

 private:
  AuditLog(const Options& options, const Clock& clock, Log& log, Hooks hooks, Store store,
           Signer signer);

  void note_how_it_was_found();
  void run();
  void write(Batch batch);
  bool make_trusted();
  bool waits_for_retry() const;
  void written(const Batch& batch);
  void not_written(Batch& batch, std::size_t gap, Appended why);
  void complete(const std::vector<claims::AuditTicket>& tickets, claims::AuditDecision verdict);
  void save_withheld();
  void anchor_if_due(bool at_once);
  void observe_clock();
  void retain_if_due();
  void note_early_drops();
  void update_stats(const std::function<void(Counters&)>& change);
  void note_overflow(std::uint64_t refused_before);

  const Options options_;
  const Clock& clock_;
  Log& log_;
  const Hooks hooks_;

  // Used by the log's thread only.
  Store store_;
  Signer signer_;
  WithheldFile withheld_;
  std::vector<Record> kept_;  // written first: operator actions, notes of anchors
  Sequence anchored_ = 0;
  bool noted_ = false;  // whether a later record notes that anchor
  BootTime unanchored_since_;
  BootTime failed_at_{};
  ClockAgreement clocks_;
  std::int64_t retained_on_ = 0;
  Sequence forgotten_;              // anchors up to here have been removed too
  std::optional<Appended> broken_;  // why the last commit failed

  mutable std::mutex mutex_;
  std::condition_variable wake_;
  Intake intake_;  // guarded by mutex_, as are the members below up to stopping_
  std::deque<std::function<void(const Store&)>> jobs_;
  Stats stats_;
  std::optional<BootTime> overflowed_;
  std::optional<BootTime> dropped_early_;
  std::optional<BootTime> clock_jumped_;
  std::optional<claims::SetHead> revocations_;  // not passed to the store yet
  bool stopping_ = false;

  std::atomic<std::size_t> outstanding_{0};
  std::thread thread_;
};

}  // namespace claimsd::audit

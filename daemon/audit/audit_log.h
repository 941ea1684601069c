// audit_log.h: the audit log as the daemon uses it: events go in on the loop, a thread of its own
// makes them durable, many in one transaction, and says when their answers may leave.
//
// submit() and finished() are called on the loop; the hooks on the log's thread, which hands what
// they are given to the loop (MessageQueue). Bounded both ways: what waits for a commit by the
// policy, what was completed and not yet finished() by its max_tickets.
//
// While the disk fails nothing is acknowledged: what comes is denied or counted, as the policy
// says, and every `retry` the log tries whether it can go on; the first record is then the gap's.
// What an operator did is kept and written then.
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
#include "daemon/audit/intake.h"
#include "daemon/log/log.h"

namespace claimsd::daemon {

struct AuditCompletion {
  AuditTicket ticket = 0;
  AuditVerdict verdict = AuditVerdict::kDeny;  // kGo or kDeny
};

struct AuditHooks {
  std::function<void(std::vector<AuditCompletion>&&)> completed;
  // One line to keep elsewhere: the journal. Also from within start().
  std::function<void(const std::string& line)> anchored;
};

class AuditLog {
 public:
  struct Options {
    AuditStoreOptions store;
    AuditPolicy policy;
    std::uint64_t anchor_records = 1000;  // an anchor at least every so many
    Duration anchor_after = seconds(60);  // and so long after the first record that has none
    Duration retry = seconds(1);
  };

  // Starts the thread. The references must outlive the log; `random` is the thread's from here on.
  static Result<std::unique_ptr<AuditLog>> start(const Options& options, const Clock& clock,
                                                 Random& random, Log& log, AuditHooks hooks);
  // stop().
  ~AuditLog();
  AuditLog(const AuditLog&) = delete;
  AuditLog& operator=(const AuditLog&) = delete;

  // With kWait the ticket is completed exactly once, unless stop() comes before.
  AuditVerdict submit(AuditRecord record, AuditTicket ticket);
  // The same without the token's name, for what is folded into a record of a flood; nothing where
  // it is not: then submit() it.
  std::optional<AuditVerdict> submit_folded(const AuditRecord& record, AuditTicket ticket);
  // So many completions were consumed.
  void finished(std::size_t tickets) { outstanding_ -= tickets; }

  // Runs `job` on the log's thread between two commits, each time with at most so much to do as the
  // answers that wait may bear. How the running daemon is asked what is in its log.
  void read(std::function<void(const AuditStore&)> job);

  // Writes what waits, makes the last anchor and ends the thread.
  void stop();

  AuditStats stats() const;

 private:
  AuditLog(const Options& options, const Clock& clock, Log& log, AuditHooks hooks, AuditStore store,
           AuditSigner signer);

  void note_how_it_was_found();
  void run();
  void write(AuditBatch batch);
  bool make_trusted();
  bool waits_for_retry() const;
  void written(const AuditBatch& batch);
  void not_written(AuditBatch& batch, std::size_t gap, AuditAppended why);
  void complete(const std::vector<AuditTicket>& tickets, AuditVerdict verdict);
  void anchor_if_due(bool at_once);
  void retain_if_due();
  void update_stats(const std::function<void(AuditCounters&)>& change);
  void note_overflow(std::uint64_t refused_before);

  const Options options_;
  const Clock& clock_;
  Log& log_;
  const AuditHooks hooks_;

  // The thread's.
  AuditStore store_;
  AuditSigner signer_;
  std::vector<AuditRecord> kept_;  // to be written first: an operator's doings, notes of anchors
  AuditSequence anchored_ = 0;
  bool noted_ = false;  // that anchor, in a record behind it
  BootTime unanchored_since_;
  BootTime failed_at_{};
  std::int64_t retained_on_ = 0;
  AuditSequence forgotten_;              // up to here the anchors are gone as well
  std::optional<AuditAppended> broken_;  // why the last commit did not work

  mutable std::mutex mutex_;
  std::condition_variable wake_;
  AuditIntake intake_;  // guarded by mutex_, as the rest
  std::deque<std::function<void(const AuditStore&)>> jobs_;
  AuditStats stats_;
  std::optional<BootTime> overflowed_;
  bool stopping_ = false;

  std::atomic<std::size_t> outstanding_{0};
  std::thread thread_;
};

}  // namespace claimsd::daemon

#include "daemon/audit/audit_log.h"

#include <fmt/core.h>
#include <pthread.h>
#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <iterator>
#include <utility>

namespace claimsd::daemon {
namespace {

constexpr std::chrono::milliseconds kTick{200};  // suffices for anchors, retention, retries
constexpr std::size_t kMaxKept = 256;

AuditRecord own_record(AuditEvent event, const Now& now, std::string detail) {
  AuditRecord record;
  record.event = event;
  record.at = now;
  record.last = now.wall;
  record.detail = std::move(detail);
  return record;
}

// Reduces how often this thread preempts the loop when both share a core: otherwise about ten times
// per commit, once per completed disk operation. SCHED_BATCH (sched(7)) prevents preemption on
// wakeup, and a higher nice value lets the loop run first. The value is moderate, because answers
// wait for their records: on a saturated core the thread still gets a quarter. Errors are ignored.
void let_others_go_first() {
  constexpr int kNicer = 5;
  const sched_param unused{};
  static_cast<void>(sched_setscheduler(0, SCHED_BATCH, &unused));
  static_cast<void>(nice(kNicer));  // affects only this thread on Linux
}

std::string_view text_of(AuditAppended appended) {
  switch (appended) {
    case AuditAppended::kDurable: return "written";
    case AuditAppended::kSegmentFull: return "the segment is full";
    case AuditAppended::kDiskFull: return "the disk is full: free disk space";
    case AuditAppended::kFailed: return "the disk failed: check the kernel's log";
  }
  return "";
}

}  // namespace

Result<std::unique_ptr<AuditLog>> AuditLog::start(const Options& options, const Clock& clock,
                                                  Random& random, Log& log, AuditHooks hooks) {
  const Now now = clock.now();
  AuditStore store = TRY(AuditStore::open(options.store, now.wall));
  AuditSigner signer =
      TRY(AuditSigner::open(options.store.directory, store.origin(), random, now.wall));
  std::unique_ptr<AuditLog> made(
      new AuditLog(options, clock, log, std::move(hooks), std::move(store), std::move(signer)));
  made->note_how_it_was_found();
  made->update_stats([](AuditCounters&) {});
  const auto& first_key = made->signer_.first_key_line();
  if (first_key && made->hooks_.anchored) made->hooks_.anchored(*first_key);
  made->thread_ = std::thread([raw = made.get()] { raw->run(); });
  return made;
}

AuditLog::AuditLog(const Options& options, const Clock& clock, Log& log, AuditHooks hooks,
                   AuditStore store, AuditSigner signer)
    : options_(options),
      clock_(clock),
      log_(log),
      hooks_(std::move(hooks)),
      store_(std::move(store)),
      signer_(std::move(signer)),
      anchored_(store_.head().sequence),
      unanchored_since_(clock.now().boot),
      forgotten_(store_.head().dropped),
      intake_(options.policy) {}

AuditLog::~AuditLog() {
  stop();
}

// Records signs of tampering or damage that happened while the daemon was not running.
void AuditLog::note_how_it_was_found() {
  const Now now = clock_.now();
  if (const auto at = store_.damaged_at()) {
    kept_.push_back(
        own_record(AuditEvent::kGap, now, fmt::format("verification failed at sequence {}", *at)));
    log_.error("audit_damaged",
               "the audit log fails verification at sequence {}: copy {} and run claimsctl audit "
               "verify on the copy",
               *at, options_.store.directory);
  }
  const auto& anchor = signer_.last_known();
  if (anchor && anchor->sequence > store_.head().sequence) {
    kept_.push_back(own_record(AuditEvent::kGap, now,
                               fmt::format("the log ended at sequence {}, its last anchor is at {}",
                                           store_.head().sequence, anchor->sequence)));
    log_.error("audit_cut",
               "the audit log ends at sequence {}, but its last anchor is at {}: it was truncated, "
               "or an old copy was restored",
               store_.head().sequence, anchor->sequence);
  }
}

AuditVerdict AuditLog::submit(AuditRecord record, AuditTicket ticket) {
  const bool may_wait = outstanding_ < options_.policy.max_tickets;
  bool first = false;
  AuditVerdict verdict = AuditVerdict::kGo;
  {
    const std::lock_guard lock(mutex_);
    first = intake_.empty();
    const std::uint64_t refused = intake_.refused().events();
    verdict = intake_.submit(std::move(record), ticket, may_wait);
    if (verdict == AuditVerdict::kWait) ++outstanding_;  // before it can complete
    note_overflow(refused);
  }
  if (first) wake_.notify_one();
  return verdict;
}

// No wakeup: an event that can be folded finds a batch already begun.
std::optional<AuditVerdict> AuditLog::submit_folded(const AuditRecord& record, AuditTicket ticket) {
  const bool may_wait = outstanding_ < options_.policy.max_tickets;
  const std::lock_guard lock(mutex_);
  const std::uint64_t refused = intake_.refused().events();
  const auto verdict = intake_.submit_folded(record, ticket, may_wait);
  if (verdict == AuditVerdict::kWait) ++outstanding_;
  note_overflow(refused);
  return verdict;
}

// Call with the lock held. Rejections by a failing disk do not count as overflow.
void AuditLog::note_overflow(std::uint64_t refused_before) {
  if (intake_.refused().events() != refused_before && stats_.state == AuditState::kWritable)
    overflowed_ = clock_.now().boot;
}

void AuditLog::read(std::function<void(const AuditStore&)> job) {
  {
    const std::lock_guard lock(mutex_);
    jobs_.push_back(std::move(job));
  }
  wake_.notify_one();
}

void AuditLog::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_one();
  if (thread_.joinable()) thread_.join();
}

AuditStats AuditLog::stats() const {
  const std::lock_guard lock(mutex_);
  AuditStats stats = stats_;
  stats.counters.audit_denied += intake_.refused().denied;
  stats.counters.audit_allowed += intake_.refused().allowed;
  if (overflowed_) stats.overflowed = clock_.now().boot - *overflowed_;
  return stats;
}

void AuditLog::update_stats(const std::function<void(AuditCounters&)>& change) {
  const std::lock_guard lock(mutex_);
  change(stats_.counters);
  stats_.sequence = store_.head().sequence;
  stats_.bytes = store_.bytes();
  stats_.segments = store_.segments().size();
  stats_.state = !broken_                               ? AuditState::kWritable
                 : *broken_ == AuditAppended::kDiskFull ? AuditState::kDiskFull
                                                        : AuditState::kReopening;
}

bool AuditLog::waits_for_retry() const {
  return broken_ && clock_.now().boot - failed_at_ < options_.retry;
}

void AuditLog::run() {
  pthread_setname_np(pthread_self(), "claimsd-audit");
  let_others_go_first();
  bool stopping = false;
  while (!stopping) {
    AuditBatch batch;
    std::deque<std::function<void(const AuditStore&)>> jobs;
    bool may_write = false;
    {
      std::unique_lock lock(mutex_);
      const bool nothing = intake_.empty() || waits_for_retry();
      const Duration tick = broken_ ? std::min<Duration>(kTick, options_.retry) : kTick;
      if (nothing && jobs_.empty() && !stopping_) wake_.wait_for(lock, tick);
      stopping = stopping_;
      may_write = stopping || !waits_for_retry();
      if (may_write) batch = intake_.take();
      jobs.swap(jobs_);
    }
    if (may_write && (!batch.empty() || !kept_.empty())) write(std::move(batch));
    for (const auto& job : jobs) job(store_);
    retain_if_due();
    anchor_if_due(stopping);
  }
}

bool AuditLog::make_trusted() {
  if (store_.trusted()) return true;
  const Status recovered = store_.recover(clock_.now().wall);
  if (recovered) {
    log_.info("audit_recovered", "the audit log continues in a new segment after sequence {}",
              store_.head().sequence);
    return true;
  }
  log_.error("audit_failed", "the audit log cannot be written: {}", recovered.error().message);
  return false;
}

void AuditLog::write(AuditBatch batch) {
  std::vector<AuditRecord> records = std::exchange(kept_, {});
  const std::size_t gap = batch.losses.any() ? records.size() : SIZE_MAX;
  if (batch.losses.any()) records.push_back(gap_record(batch.losses));
  std::move(batch.records.begin(), batch.records.end(), std::back_inserter(records));
  batch.records = std::move(records);
  AuditAppended appended = AuditAppended::kFailed;
  if (make_trusted()) appended = store_.append(batch.records, clock_.now().wall);
  if (appended == AuditAppended::kDurable) {
    written(batch);
  } else {
    not_written(batch, gap, appended);
  }
}

void AuditLog::written(const AuditBatch& batch) {
  std::uint64_t events = 0;
  for (const AuditRecord& record : batch.records) events += record.count;
  if (std::exchange(broken_, std::nullopt)) {
    const std::lock_guard lock(mutex_);
    intake_.set_broken(false);
  }
  update_stats([&](AuditCounters& counters) {
    ++counters.audit_commits;
    counters.audit_records += batch.records.size();
    counters.audit_events += events;
  });
  complete(batch.tickets, AuditVerdict::kGo);
}

void AuditLog::not_written(AuditBatch& batch, std::size_t gap, AuditAppended why) {
  if (!broken_) {
    log_.error("audit_failed", "cannot write the audit log in {}: {}", options_.store.directory,
               text_of(why));
  }
  const AuditVerdict verdict = without_record(options_.policy);
  AuditLosses fresh;
  for (std::size_t i = 0; i < batch.records.size(); ++i) {
    AuditRecord& record = batch.records[i];
    if (i == gap) continue;  // its events are already among the losses
    if (must_be_kept(record.event) && kept_.size() < kMaxKept) {
      kept_.push_back(std::move(record));
    } else {
      fresh.add(record.count, verdict, record.at, record.last);
    }
  }
  broken_ = why;
  failed_at_ = clock_.now().boot;
  {
    const std::lock_guard lock(mutex_);
    intake_.set_broken(true);
    intake_.lose(batch.losses);
    intake_.lose(fresh);
  }
  update_stats([&](AuditCounters& counters) {
    ++counters.audit_failures;
    counters.audit_denied += fresh.denied;
    counters.audit_allowed += fresh.allowed;
  });
  complete(batch.tickets, verdict);
}

void AuditLog::complete(const std::vector<AuditTicket>& tickets, AuditVerdict verdict) {
  if (tickets.empty() || !hooks_.completed) return;
  std::vector<AuditCompletion> completions;
  completions.reserve(tickets.size());
  for (const AuditTicket ticket : tickets) completions.push_back({ticket, verdict});
  hooks_.completed(std::move(completions));
}

void AuditLog::anchor_if_due(bool at_once) {
  const AuditHead& head = store_.head();
  const Now now = clock_.now();
  const std::uint64_t without = head.sequence - anchored_;
  // The record that notes an anchor does not need an anchor itself.
  const std::uint64_t own = noted_ && !at_once ? 1 : 0;
  if (without <= own) {
    unanchored_since_ = now.boot;
    return;
  }
  const bool due = at_once || without >= options_.anchor_records ||
                   now.boot - unanchored_since_ >= options_.anchor_after;
  if (!due) return;
  const auto lines = signer_.sign(head, now.wall);
  anchored_ = head.sequence;
  unanchored_since_ = now.boot;
  if (!lines) {
    log_.error("audit_anchor_failed", "cannot sign an anchor at sequence {}: {}", head.sequence,
               lines.error().message);
    noted_ = false;
    return;
  }
  if (hooks_.anchored) {
    for (const std::string& line : *lines) hooks_.anchored(line);
  }
  noted_ = !at_once;
  if (noted_) {
    kept_.push_back(
        own_record(AuditEvent::kAnchored, now,
                   fmt::format("sequence={} key={}", head.sequence, signer_.public_key())));
  }
}

void AuditLog::retain_if_due() {
  const WallTime now = clock_.now().wall;
  const std::int64_t hour = std::chrono::floor<std::chrono::hours>(now.time_since_epoch()).count();
  const std::int64_t mark = hour * 1'000'000 + static_cast<std::int64_t>(store_.segments().size());
  if (mark == retained_on_ || broken_ || !store_.trusted()) return;
  retained_on_ = mark;
  if (store_.retain(now) != AuditAppended::kDurable) {
    log_.warning("audit_retention_failed", "cannot delete old segments from {}",
                 options_.store.directory);
  }
  const AuditSequence dropped = store_.head().dropped;
  if (dropped == forgotten_) return;
  forgotten_ = dropped;
  if (const Status shortened = signer_.forget(dropped); !shortened)
    log_.warning("audit_retention_failed", "cannot delete old anchors: {}",
                 shortened.error().message);
}

}  // namespace claimsd::daemon

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

namespace claimsd::audit {
namespace {

constexpr std::chrono::milliseconds kTick{200};  // suffices for anchors, retention, retries
constexpr std::size_t kMaxKept = 256;

Record own_record(Event event, const Now& now, std::string detail) {
  Record record;
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

std::string_view text_of(Appended appended) {
  switch (appended) {
    case Appended::kDurable: return "written";
    case Appended::kSegmentFull: return "the segment is full";
    case Appended::kDiskFull: return "the disk is full: free disk space";
    case Appended::kFailed: return "the disk failed: check the kernel's log";
  }
  return "";
}

}  // namespace

Result<std::unique_ptr<AuditLog>> AuditLog::start(const Options& options, const Clock& clock,
                                                  Random& random, Log& log, Hooks hooks) {
  const Now now = clock.now();
  Store store = TRY(Store::open(options.store, now.wall));
  Signer signer = TRY(Signer::open(options.store.directory, store.origin(), random, now.wall));
  std::unique_ptr<AuditLog> made(
      new AuditLog(options, clock, log, std::move(hooks), std::move(store), std::move(signer)));
  made->note_how_it_was_found();
  made->update_stats([](Counters&) {});
  const auto& first_key = made->signer_.first_key_line();
  if (first_key && made->hooks_.anchored) made->hooks_.anchored(*first_key);
  made->thread_ = std::thread([raw = made.get()] { raw->run(); });
  return made;
}

AuditLog::AuditLog(const Options& options, const Clock& clock, Log& log, Hooks hooks, Store store,
                   Signer signer)
    : options_(options),
      clock_(clock),
      log_(log),
      hooks_(std::move(hooks)),
      store_(std::move(store)),
      signer_(std::move(signer)),
      withheld_(options.store.directory),
      anchored_(store_.head().sequence),
      unanchored_since_(clock.now().boot),
      clocks_(clock.now()),
      forgotten_(store_.head().dropped),
      intake_(options.policy) {}

AuditLog::~AuditLog() {
  stop();
}

// Records signs of tampering or damage that happened while the daemon was not running.
void AuditLog::note_how_it_was_found() {
  const Now now = clock_.now();
  Losses withheld = withheld_.read();
  withheld.first.boot = now.boot;  // that of an earlier boot means nothing
  intake_.lose(withheld);
  if (const auto at = store_.damaged_at()) {
    kept_.push_back(
        own_record(Event::kGap, now, fmt::format("verification failed at sequence {}", *at)));
    log_.error("audit_damaged",
               "the audit log fails verification at sequence {}: copy {} and run claimsctl audit "
               "verify on the copy",
               *at, options_.store.directory);
  }
  const auto& anchor = signer_.last_known();
  if (anchor && anchor->sequence > store_.head().sequence) {
    kept_.push_back(own_record(Event::kGap, now,
                               fmt::format("the log ended at sequence {}, its last anchor is at {}",
                                           store_.head().sequence, anchor->sequence)));
    log_.error("audit_cut",
               "the audit log ends at sequence {}, but its last anchor is at {}: it was truncated, "
               "or an old copy was restored",
               store_.head().sequence, anchor->sequence);
  }
}

claims::AuditDecision AuditLog::submit(Record record, claims::AuditTicket ticket) {
  const bool may_wait = outstanding_ < options_.policy.max_tickets;
  bool first = false;
  claims::AuditDecision verdict = claims::AuditDecision::kProceed;
  {
    const std::lock_guard lock(mutex_);
    first = intake_.empty();
    const std::uint64_t refused = intake_.refused().events();
    verdict = intake_.submit(std::move(record), ticket, may_wait);
    if (verdict == claims::AuditDecision::kPending) ++outstanding_;  // before it can complete
    note_overflow(refused);
  }
  if (first) wake_.notify_one();
  return verdict;
}

// No wakeup: an event that can be folded finds a batch already begun.
std::optional<claims::AuditDecision> AuditLog::submit_folded(const Record& record,
                                                             claims::AuditTicket ticket) {
  const bool may_wait = outstanding_ < options_.policy.max_tickets;
  const std::lock_guard lock(mutex_);
  const std::uint64_t refused = intake_.refused().events();
  const auto verdict = intake_.submit_folded(record, ticket, may_wait);
  if (verdict == claims::AuditDecision::kPending) ++outstanding_;
  note_overflow(refused);
  return verdict;
}

// Call with the lock held. Rejections by a failing disk do not count as overflow.
void AuditLog::note_overflow(std::uint64_t refused_before) {
  if (intake_.refused().events() != refused_before && stats_.state == State::kWritable)
    overflowed_ = clock_.now().boot;
}

void AuditLog::note_revocations(const claims::SetHead& head) {
  const std::lock_guard lock(mutex_);
  revocations_ = head;
}

void AuditLog::read(std::function<void(const Store&)> job) {
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

Stats AuditLog::stats() const {
  const std::lock_guard lock(mutex_);
  Stats stats = stats_;
  stats.counters.audit_unavailable += intake_.refused().denied;
  stats.counters.audit_unrecorded += intake_.refused().allowed;
  stats.counters.audit_over_quota = intake_.over_quota();
  const BootTime now = clock_.now().boot;
  if (overflowed_) stats.overflowed = now - *overflowed_;
  if (dropped_early_) stats.dropped_early = now - *dropped_early_;
  if (clock_jumped_) stats.clock_jumped = now - *clock_jumped_;
  return stats;
}

void AuditLog::update_stats(const std::function<void(Counters&)>& change) {
  const std::lock_guard lock(mutex_);
  change(stats_.counters);
  stats_.sequence = store_.head().sequence;
  stats_.bytes = store_.bytes();
  stats_.segments = store_.segments().size();
  stats_.state = !broken_                          ? State::kWritable
                 : *broken_ == Appended::kDiskFull ? State::kDiskFull
                                                   : State::kReopening;
}

bool AuditLog::waits_for_retry() const {
  return broken_ && clock_.now().boot - failed_at_ < options_.retry;
}

void AuditLog::run() {
  pthread_setname_np(pthread_self(), "claimsd-audit");
  let_others_go_first();
  bool stopping = false;
  while (!stopping) {
    Batch batch;
    std::deque<std::function<void(const Store&)>> jobs;
    bool may_write = false;
    {
      std::unique_lock lock(mutex_);
      const bool nothing = intake_.empty() || waits_for_retry();
      const Duration tick = broken_ ? std::min<Duration>(kTick, options_.retry) : kTick;
      if (nothing && jobs_.empty() && !stopping_) wake_.wait_for(lock, tick);
      stopping = stopping_;
      may_write = stopping || !waits_for_retry();
      if (may_write) batch = intake_.take(clock_.now().boot, stopping);
      if (const auto head = std::exchange(revocations_, std::nullopt))
        store_.note_revocations(*head);
      jobs.swap(jobs_);
    }
    if (may_write && (!batch.empty() || !kept_.empty())) write(std::move(batch));
    for (const auto& job : jobs) job(store_);
    observe_clock();
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

void AuditLog::write(Batch batch) {
  std::vector<Record> records = std::exchange(kept_, {});
  const std::size_t gap = batch.losses.any() ? records.size() : SIZE_MAX;
  if (batch.losses.any()) records.push_back(gap_record(batch.losses));
  std::move(batch.records.begin(), batch.records.end(), std::back_inserter(records));
  batch.records = std::move(records);
  Appended appended = Appended::kFailed;
  if (make_trusted()) appended = store_.append(batch.records, clock_.now().wall);
  if (appended == Appended::kDurable) {
    written(batch);
  } else {
    not_written(batch, gap, appended);
  }
}

void AuditLog::written(const Batch& batch) {
  std::uint64_t events = 0;
  for (const Record& record : batch.records) events += record.count;
  if (std::exchange(broken_, std::nullopt)) {
    const std::lock_guard lock(mutex_);
    intake_.set_broken(false);
  }
  save_withheld();
  update_stats([&](Counters& counters) {
    ++counters.audit_commits;
    counters.audit_records += batch.records.size();
    counters.audit_events += events;
  });
  complete(batch.tickets, claims::AuditDecision::kProceed);
}

void AuditLog::not_written(Batch& batch, std::size_t gap, Appended why) {
  if (!broken_) {
    log_.error("audit_failed", "cannot write the audit log in {}: {}", options_.store.directory,
               text_of(why));
  }
  const claims::AuditDecision verdict = without_record(options_.policy);
  Losses fresh;
  for (std::size_t i = 0; i < batch.records.size(); ++i) {
    Record& record = batch.records[i];
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
  save_withheld();
  update_stats([&](Counters& counters) {
    ++counters.audit_failures;
    counters.audit_unavailable += fresh.denied;
    counters.audit_unrecorded += fresh.allowed;
  });
  complete(batch.tickets, verdict);
}

// What a restart would lose: the counts, and operator actions that are still to be written.
void AuditLog::save_withheld() {
  Losses losses;
  if (broken_) {
    const std::lock_guard lock(mutex_);
    losses = intake_.losses();
  }
  for (const Record& record : kept_) {
    if (record.event != Event::kAnchored && record.event != Event::kGap)
      losses.add(record.count, claims::AuditDecision::kProceed, record.at, record.last);
  }
  withheld_.save(losses);
}

void AuditLog::complete(const std::vector<claims::AuditTicket>& tickets,
                        claims::AuditDecision verdict) {
  if (tickets.empty() || !hooks_.completed) return;
  std::vector<Completion> completions;
  completions.reserve(tickets.size());
  for (const claims::AuditTicket ticket : tickets) completions.push_back({ticket, verdict});
  hooks_.completed(std::move(completions));
}

void AuditLog::anchor_if_due(bool at_once) {
  const Head& head = store_.head();
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
        own_record(Event::kAnchored, now,
                   fmt::format("sequence={} key={}", head.sequence, signer_.public_key())));
  }
}

void AuditLog::observe_clock() {
  const Now now = clock_.now();
  const std::optional<Duration> jump = clocks_.observe(now);
  if (!jump) return;
  log_.warning("clock_jumped",
               "the wall clock was set by {} s: for {} hours no audit record is deleted for its "
               "age; check the time synchronization of this host",
               *jump / seconds(1), ClockAgreement::kProof / std::chrono::hours(1));
  update_stats([&](Counters& counters) {
    ++counters.audit_clock_jumps;
    clock_jumped_ = now.boot;
  });
}

void AuditLog::retain_if_due() {
  const Now now = clock_.now();
  const bool proven = clocks_.proven(now.boot);
  const std::int64_t hour =
      std::chrono::floor<std::chrono::hours>(now.boot.time_since_epoch()).count();
  const std::int64_t mark =
      (hour * 1'000'000 + static_cast<std::int64_t>(store_.segments().size())) * 2 +
      (proven ? 1 : 0);
  if (mark == retained_on_ || broken_ || !store_.trusted()) return;
  retained_on_ = mark;
  const std::uint64_t early = store_.dropped_early();
  if (store_.retain(now.wall, proven) != Appended::kDurable) {
    log_.warning("audit_retention_failed", "cannot delete old segments from {}",
                 options_.store.directory);
  }
  if (store_.dropped_early() != early) note_early_drops();
  const Sequence dropped = store_.head().dropped;
  if (dropped == forgotten_) return;
  forgotten_ = dropped;
  if (const Status shortened = signer_.forget(dropped); !shortened)
    log_.warning("audit_retention_failed", "cannot delete old anchors: {}",
                 shortened.error().message);
}

void AuditLog::note_early_drops() {
  const std::uint64_t early = store_.dropped_early();
  log_.error("audit_dropped_early",
             "{} segments of the audit log were deleted before audit.keep, because it reached "
             "audit.max_bytes: records up to sequence {} are gone; raise audit.max_bytes, and find "
             "who fills the log with claimsctl audit report",
             early, store_.head().dropped);
  update_stats([&](Counters& counters) {
    counters.audit_dropped_early = early;
    dropped_early_ = clock_.now().boot;
  });
}

}  // namespace claimsd::audit

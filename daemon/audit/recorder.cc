#include "daemon/audit/recorder.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include "daemon/audit/answer_record.h"
#include "daemon/base/ascii.h"
#include "daemon/loop/signals_blocked.h"

namespace claimsd::audit {
namespace {

// Tickets of operators' actions. The policy's tickets count from 1.
constexpr claims::AuditTicket kFirstNote = claims::AuditTicket{1} << 63;
constexpr Duration kJournalInterval = std::chrono::minutes(10);
constexpr std::uint32_t kUnknownId = 0xffffffff;  // no user can have it: setuid(2)

}  // namespace

Result<std::string> audit_origin() {
  std::array<char, 256> name{};
  if (gethostname(name.data(), name.size() - 1) != 0) {
    return failure(fmt::format("cannot read the host name: {}", std::strerror(errno)));
  }
  std::string origin(name.data());
  std::replace_if(
      origin.begin(), origin.end(), [](char c) { return !is_visible(c); }, '_');
  return origin.empty() ? std::string("localhost") : origin;
}

Recorder::Recorder(const Settings& settings, Fingerprinter fingerprinter, loop::Loop& loop,
                   const Clock& clock, Log& log, Hooks hooks)
    : upstreams_(settings.upstreams),
      anchors_file_(settings.anchors_file),
      fingerprinter_(std::move(fingerprinter)),
      clock_(clock),
      log_(log),
      hooks_(std::move(hooks)),
      next_note_(kFirstNote),
      idle_(loop, [this] { deliver_some(); }) {}

Result<std::unique_ptr<Recorder>> Recorder::create(const Settings& settings,
                                                   Fingerprinter fingerprinter, loop::Loop& loop,
                                                   const Clock& clock, Log& log, Hooks hooks) {
  std::unique_ptr<Recorder> self(
      new Recorder(settings, std::move(fingerprinter), loop, clock, log, std::move(hooks)));
  TRY(self->start(settings, loop));
  return self;
}

Recorder::~Recorder() {
  if (audit_log_) audit_log_->stop();
}

Status Recorder::start(const Settings& settings, loop::Loop& loop) {
  completions_ = TRY(loop::MessageQueue<std::vector<Completion>>::create(
      loop, [this](std::vector<Completion>&& all) { completed(std::move(all)); }));
  pages_ = TRY(loop::MessageQueue<Read>::create(loop, [](Read&& read) { read.done(read.page); }));
  const loop::SignalsBlocked blocked;
  audit_log_ = TRY(AuditLog::start(
      settings.log, clock_, random_, log_,
      {.completed = [this](std::vector<Completion>&& done) { completions_->push(std::move(done)); },
       .anchored = [this](const std::string& line) { anchored(line); }}));
  return {};
}

claims::AuditDecision Recorder::record(const claims::AuditedEvent& event,
                                       claims::AuditTicket ticket) {
  Record record = audit_record_of(event, clock_.now());
  record.upstream = upstreams_.at(event.upstream);
  name_peer(record, event);
  // In a flood of random tokens records are folded: then no fingerprint is needed.
  if (const auto folded = audit_log_->submit_folded(record, ticket)) return *folded;
  if (!event.token.empty()) record.token = fingerprinter_.of(event.token);
  return audit_log_->submit(std::move(record), ticket);
}

void Recorder::name_peer(Record& record, const claims::AuditedEvent& event) const {
  const loop::PeerCredentials* const peer =
      event.waiter.connection == 0 ? nullptr : hooks_.peer(event.waiter.connection);
  if (peer == nullptr) {
    record.peer = {.uid = event.uid, .gid = kUnknownId, .pid = 0, .comm = {}};
    return;
  }
  record.peer = {.uid = peer->uid, .gid = peer->gid, .pid = peer->pid, .comm = peer->command};
}

Recorder::AdminRecord Recorder::admin_record_of(Event event, const claims::AdminAction& action) {
  AdminRecord entry{.event = event, .uid = action.actor_uid};
  switch (action.subject) {
    case claims::Subject::kToken: entry.token = fingerprint_of(action.who); break;
    case claims::Subject::kUser: entry.user = action.who; break;
    case claims::Subject::kAllUsers: entry.detail = "all_users"; break;
  }
  if (action.lock) entry.detail = "lock";
  entry.length = action.length.value_or(Duration(0));
  return entry;
}

void Recorder::note(AdminRecord entry, Done done) {
  const Now now = clock_.now();
  Record record;
  record.event = entry.event;
  record.at = now;
  record.last = now.wall;
  record.duration = entry.length;
  if (entry.uid) {
    record.peer = {.uid = *entry.uid, .gid = kUnknownId, .pid = 0, .comm = {}};
  } else {
    record.peer = {.uid = geteuid(), .gid = getegid(), .pid = getpid(), .comm = "claimsd"};
  }
  record.token = entry.token;
  record.user = std::move(entry.user);
  record.detail = std::move(entry.detail);
  const claims::AuditTicket ticket = done ? next_note_++ : 0;
  const claims::AuditDecision verdict = audit_log_->submit(std::move(record), ticket);
  if (!done) return;
  if (verdict != claims::AuditDecision::kPending)
    return done(verdict == claims::AuditDecision::kProceed);
  noting_.emplace(ticket, std::move(done));
}

void Recorder::completed(std::vector<Completion>&& completions) {
  if (completions.empty()) return;
  undelivered_.push_back({.completions = std::move(completions)});
  idle_.start();
}

void Recorder::deliver_some() {
  Commit& commit = undelivered_.front();
  const std::span all(commit.completions);
  const std::span delivered = all.subspan(
      commit.delivered, std::min(all.size() - commit.delivered, kCompletionsPerIteration));
  std::vector<Completion> answers;
  std::vector<Completion> entries;
  for (const Completion& one : delivered)
    (one.ticket < kFirstNote ? answers : entries).push_back(one);
  audit_log_->finished(delivered.size());
  commit.delivered += delivered.size();
  const bool last = commit.delivered == all.size();
  if (last) undelivered_.pop_front();
  if (undelivered_.empty()) idle_.stop();
  for (const Completion& entry : entries) noted(entry);
  hooks_.recorded(answers, last);
}

void Recorder::noted(const Completion& entry) {
  const auto found = noting_.find(entry.ticket);
  if (found == noting_.end()) return;
  const Done done = std::move(found->second);
  noting_.erase(found);
  done(entry.verdict == claims::AuditDecision::kProceed);
}

void Recorder::search(const SearchFilter& query, PageDone done) {
  audit_log_->read([this, query, done = std::move(done)](const Store& store) {
    pages_->push({read_audit_page(store, query), done});
  });
}

// Runs on the audit thread. The log's own file has the line; the others are copies, so a failed write
// is logged and delays nothing. The journal gets every key and the last anchor, but not each of the
// others: they would drown the rest of it.
void Recorder::anchored(const std::string& line) {
  const BootTime now = clock_.now().boot;
  if (!is_anchor(line) || stopping_ || !journaled_ || now - *journaled_ >= kJournalInterval) {
    log_.info("audit_anchor", "{}", line);
    if (is_anchor(line)) journaled_ = now;
  }
  if (anchors_file_.empty()) return;
  const Fd file(
      open(anchors_file_.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0640));
  const std::string text = line + "\n";
  if (file.get() < 0 ||
      write(file.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size()) ||
      fsync(file.get()) != 0) {
    log_.warning("audit_anchors_file", "cannot write an anchor to audit.anchors_file {}: {}",
                 anchors_file_, std::strerror(errno));
  }
}

}  // namespace claimsd::audit

#include "daemon/audit/recorder.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include "daemon/audit/answer_record.h"

namespace claimsd::daemon {
namespace {

// Tickets of operators' actions. The policy's tickets count from 1.
constexpr AuditTicket kFirstNote = AuditTicket{1} << 63;
constexpr std::uint32_t kUnknownId = 0xffffffff;  // no user can have it: setuid(2)

}  // namespace

Result<std::string> audit_origin() {
  std::array<char, 256> name{};
  if (gethostname(name.data(), name.size() - 1) != 0) {
    return failure(fmt::format("cannot read the host name: {}", std::strerror(errno)));
  }
  std::string origin(name.data());
  std::replace_if(
      origin.begin(), origin.end(), [](char c) { return c <= ' ' || c > '~'; }, '_');
  return origin.empty() ? std::string("localhost") : origin;
}

AuditRecorder::AuditRecorder(const AuditSettings& settings, AuditFingerprinter fingerprinter,
                             Loop& loop, const Clock& clock, Log& log, Hooks hooks)
    : upstreams_(settings.upstreams),
      anchors_file_(settings.anchors_file),
      fingerprinter_(std::move(fingerprinter)),
      clock_(clock),
      log_(log),
      hooks_(std::move(hooks)),
      next_note_(kFirstNote),
      next_turns_(loop, [this] { tell_some(); }) {}

Result<std::unique_ptr<AuditRecorder>> AuditRecorder::create(const AuditSettings& settings,
                                                             AuditFingerprinter fingerprinter,
                                                             Loop& loop, const Clock& clock,
                                                             Log& log, Hooks hooks) {
  std::unique_ptr<AuditRecorder> self(
      new AuditRecorder(settings, std::move(fingerprinter), loop, clock, log, std::move(hooks)));
  TRY(self->start(settings, loop));
  return self;
}

AuditRecorder::~AuditRecorder() {
  if (book_) book_->stop();
}

Status AuditRecorder::start(const AuditSettings& settings, Loop& loop) {
  completions_ = TRY(MessageQueue<std::vector<AuditCompletion>>::create(
      loop, [this](std::vector<AuditCompletion>&& all) { completed(std::move(all)); }));
  pages_ = TRY(MessageQueue<Read>::create(loop, [](Read&& read) { read.done(read.page); }));
  // Signals are for the loop thread.
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  auto started = AuditLog::start(
      settings.log, clock_, random_, log_,
      {.completed =
           [this](std::vector<AuditCompletion>&& done) { completions_->push(std::move(done)); },
       .anchored = [this](const std::string& line) { anchored(line); }});
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  book_ = TRY(std::move(started));
  return {};
}

AuditVerdict AuditRecorder::record(const AuditedEvent& event, AuditTicket ticket) {
  AuditRecord record = audit_record_of(event, clock_.now());
  record.upstream = upstreams_.at(event.upstream);
  name_peer(record, event);
  // In a flood of random tokens records are folded: then no fingerprint is needed.
  if (const auto folded = book_->submit_folded(record, ticket)) return *folded;
  if (!event.token.empty()) record.token = fingerprinter_.of(event.token);
  return book_->submit(std::move(record), ticket);
}

void AuditRecorder::name_peer(AuditRecord& record, const AuditedEvent& event) const {
  const PeerCredentials* const peer =
      event.waiter.connection == 0 ? nullptr : hooks_.peer(event.waiter.connection);
  if (peer == nullptr) {
    record.peer = {.uid = event.uid, .gid = kUnknownId, .pid = 0, .comm = {}};
    return;
  }
  record.peer = {.uid = peer->uid, .gid = peer->gid, .pid = peer->pid, .comm = peer->command};
}

AuditRecorder::Deed AuditRecorder::deed_of(AuditEvent event, const Order& order) {
  Deed deed{.event = event, .uid = order.given_by};
  switch (order.subject) {
    case Subject::kToken: deed.token = fingerprint_of(order.who); break;
    case Subject::kUser: deed.user = order.who; break;
    case Subject::kEverybody: deed.detail = "everybody"; break;
  }
  if (order.lock) deed.detail = "lock";
  deed.length = order.length.value_or(Duration(0));
  return deed;
}

void AuditRecorder::note(Deed deed, Done done) {
  const Now now = clock_.now();
  AuditRecord record;
  record.event = deed.event;
  record.at = now;
  record.last = now.wall;
  record.duration = deed.length;
  if (deed.uid) {
    record.peer = {.uid = *deed.uid, .gid = kUnknownId, .pid = 0, .comm = {}};
  } else {
    record.peer = {.uid = geteuid(), .gid = getegid(), .pid = getpid(), .comm = "claimsd"};
  }
  record.token = deed.token;
  record.user = std::move(deed.user);
  record.detail = std::move(deed.detail);
  const AuditTicket ticket = done ? next_note_++ : 0;
  const AuditVerdict verdict = book_->submit(std::move(record), ticket);
  if (!done) return;
  if (verdict != AuditVerdict::kWait) return done(verdict == AuditVerdict::kGo);
  noting_.emplace(ticket, std::move(done));
}

void AuditRecorder::completed(std::vector<AuditCompletion>&& completions) {
  if (completions.empty()) return;
  untold_.push_back({.completions = std::move(completions)});
  next_turns_.start();
}

void AuditRecorder::tell_some() {
  Commit& commit = untold_.front();
  const std::span all(commit.completions);
  const std::span told =
      all.subspan(commit.told, std::min(all.size() - commit.told, kCompletionsPerTurn));
  std::vector<AuditCompletion> answers;
  std::vector<AuditCompletion> deeds;
  for (const AuditCompletion& one : told)
    (one.ticket < kFirstNote ? answers : deeds).push_back(one);
  book_->finished(told.size());
  commit.told += told.size();
  const bool last = commit.told == all.size();
  if (last) untold_.pop_front();
  if (untold_.empty()) next_turns_.stop();
  for (const AuditCompletion& deed : deeds) noted(deed);
  hooks_.recorded(answers, last);
}

void AuditRecorder::noted(const AuditCompletion& deed) {
  const auto found = noting_.find(deed.ticket);
  if (found == noting_.end()) return;
  const Done done = std::move(found->second);
  noting_.erase(found);
  done(deed.verdict == AuditVerdict::kGo);
}

void AuditRecorder::ask(const AuditQuery& query, PageDone done) {
  book_->read([this, query, done = std::move(done)](const AuditStore& store) {
    pages_->push({read_audit_page(store, query), done});
  });
}

// Runs on the audit thread. The journal has the line; the file is only a second copy, so a failed
// write is logged and delays nothing.
void AuditRecorder::anchored(const std::string& line) {
  log_.info("audit_anchor", "{}", line);
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

}  // namespace claimsd::daemon

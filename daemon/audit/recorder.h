// recorder.h: connects the audit log to the running daemon: implements the policy's
// AuditSink and records operators' actions. Owned by the composition root; loop thread.
//
// The audit thread reports durable records through a MessageQueue, so nothing here waits for the
// disk.
#pragma once

#include <atomic>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "daemon/audit/audit_log.h"
#include "daemon/audit/digest.h"
#include "daemon/audit/live_query.h"
#include "daemon/claims/audit/audit_sink.h"
#include "daemon/claims/revocation/admin_action.h"
#include "daemon/loop/idle.h"
#include "daemon/loop/message_queue.h"
#include "daemon/loop/unix_socket.h"

namespace claimsd::audit {

struct Settings {
  AuditLog::Options log;
  std::string anchors_file;            // file for a second copy of the anchors; "": none
  std::vector<std::string> upstreams;  // upstream names, by UpstreamId
};

class Recorder final : public claims::AuditSink {
 public:
  struct Hooks {
    // The tickets given to record(), a few at a time. `last`: the final part of one commit. May be
    // empty.
    std::function<void(std::span<const Completion>, bool last)> recorded;
    // The peer of a connection; null if the connection is gone.
    std::function<const loop::PeerCredentials*(std::uint64_t connection)> peer;
  };
  // One commit may complete hundreds of answers. At most this many are sent per loop iteration, so
  // that other queries are answered in between.
  static constexpr std::size_t kCompletionsPerIteration = 16;
  // Called once; `durable`: the record is on disk.
  using Done = std::function<void(bool durable)>;

  // All references must outlive this object.
  static Result<std::unique_ptr<Recorder>> create(const Settings& settings,
                                                  Fingerprinter fingerprinter, loop::Loop& loop,
                                                  const Clock& clock, Log& log, Hooks hooks);
  ~Recorder() override;
  Recorder(const Recorder&) = delete;
  Recorder& operator=(const Recorder&) = delete;

  claims::AuditDecision record(const claims::AuditedEvent& event,
                               claims::AuditTicket ticket) override;

  // An action of an operator or of the daemon itself, and its subject: kPurged, kRevoked,
  // kConfigured, kStarted, kStopped. `token` and `user` are set if the action concerns one.
  struct AdminRecord {
    Event event = Event::kConfigured;
    std::optional<std::uint32_t> uid;  // the operator; none: the daemon itself
    std::optional<Fingerprint> token;
    std::string user;
    Duration length{};
    std::string detail;
  };
  void note(AdminRecord entry, Done done = {});
  // The record of an operator's action. Make it before the action runs: running it erases the
  // action's subject.
  AdminRecord admin_record_of(Event event, const claims::AdminAction& action);

  // The records written from now on are accompanied by this head of the revocations.
  void note_revocations(const claims::SetHead& head) { audit_log_->note_revocations(head); }

  // One page of matching records, read by the audit thread between two commits.
  using PageDone = std::function<void(const Result<Page>&)>;
  void search(const SearchFilter& query, PageDone done);

  // The fingerprint that records use for a token.
  Fingerprint fingerprint_of(std::string_view token) { return fingerprinter_.of(token); }
  Stats stats() const { return audit_log_->stats(); }
  // True if no operator action waits for its record.
  bool idle() const { return noting_.empty(); }
  // Writes pending records and the last anchor.
  void stop() {
    stopping_ = true;
    audit_log_->stop();
  }

 private:
  Recorder(const Settings& settings, Fingerprinter fingerprinter, loop::Loop& loop,
           const Clock& clock, Log& log, Hooks hooks);
  Status start(const Settings& settings, loop::Loop& loop);
  void name_peer(Record& record, const claims::AuditedEvent& event) const;
  void completed(std::vector<Completion>&& completions);
  void deliver_some();
  void noted(const Completion& entry);
  void anchored(const std::string& line);

  std::vector<std::string> upstreams_;
  std::string anchors_file_;
  Fingerprinter fingerprinter_;
  const Clock& clock_;
  Log& log_;
  Hooks hooks_;
  SystemRandom random_;                // used by the audit thread
  std::optional<BootTime> journaled_;  // when it last logged an anchor; used by the audit thread
  std::atomic<bool> stopping_ = false;
  claims::AuditTicket next_note_;
  std::map<claims::AuditTicket, Done> noting_;
  struct Commit {
    std::vector<Completion> completions;
    std::size_t delivered = 0;  // number of completions already reported
  };
  std::deque<Commit> undelivered_;
  loop::Idle idle_;  // runs while untold_ is not empty
  struct Read {
    Result<Page> page;
    PageDone done;
  };
  std::unique_ptr<loop::MessageQueue<std::vector<Completion>>> completions_;
  std::unique_ptr<loop::MessageQueue<Read>> pages_;
  std::unique_ptr<AuditLog> audit_log_;  // destroyed first: its thread uses the members above
};

// The name of this host in its records.
Result<std::string> audit_origin();

}  // namespace claimsd::audit

// recorder.h: the audit log as the running daemon uses it: the policy's AuditTrail, and the
// book in which an operator's doings are written.
//
// Owned by the composition root; loop thread. The log's own thread hands back what is durable over
// a MessageQueue, so nothing here waits for a disk.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "daemon/audit/audit_log.h"
#include "daemon/audit/digest.h"
#include "daemon/audit/live_query.h"
#include "daemon/claims/audit/audit_trail.h"
#include "daemon/claims/revocation/orders.h"
#include "daemon/loop/each_turn.h"
#include "daemon/loop/message_queue.h"
#include "daemon/loop/unix_socket.h"

namespace claimsd::daemon {

struct AuditSettings {
  AuditLog::Options log;
  std::string anchors_file;            // a second copy of the anchors; "": none
  std::vector<std::string> upstreams;  // their names, by UpstreamId
};

class AuditRecorder final : public AuditTrail {
 public:
  struct Hooks {
    // With the tickets that record() was given: a few at a time, and whether these are the last
    // that one commit has let go; perhaps none.
    std::function<void(std::span<const AuditCompletion>, bool last)> recorded;
    // Who is at the other end of a connection; null: it is gone.
    std::function<const PeerCredentials*(std::uint64_t connection)> peer;
  };
  // One commit may be what hundreds of answers have waited for. So many leave in one turn of the
  // loop, and between two of them others are served.
  static constexpr std::size_t kCompletionsPerTurn = 16;
  // Called once: whether the record is on disk.
  using Done = std::function<void(bool durable)>;

  // The references outlive it.
  static Result<std::unique_ptr<AuditRecorder>> create(const AuditSettings& settings,
                                                       AuditFingerprinter fingerprinter, Loop& loop,
                                                       const Clock& clock, Log& log, Hooks hooks);
  ~AuditRecorder() override;
  AuditRecorder(const AuditRecorder&) = delete;
  AuditRecorder& operator=(const AuditRecorder&) = delete;

  AuditVerdict record(const AuditedEvent& event, AuditTicket ticket) override;

  // What an operator or the daemon itself did, and to what: kPurged, kRevoked, kConfigured,
  // kStarted, kStopped. `token` and `user`: whom it was about, where that is somebody.
  struct Deed {
    AuditEvent event = AuditEvent::kConfigured;
    std::optional<std::uint32_t> uid;  // who; none: the daemon itself
    std::optional<AuditFingerprint> token;
    std::string user;
    Duration length{};
    std::string detail;
  };
  void note(Deed deed, Done done = {});
  // What an order is in the log. It is carried out first, and whom it was about is gone then.
  Deed deed_of(AuditEvent event, const Order& order);

  // A page of what matches; the log's thread reads it between two commits.
  using PageDone = std::function<void(const Result<AuditPage>&)>;
  void ask(const AuditQuery& query, PageDone done);

  // Names a token as the records do.
  AuditFingerprint fingerprint_of(std::string_view token) { return fingerprinter_.of(token); }
  AuditStats stats() const { return book_->stats(); }
  // Nobody waits for an operator's record any more.
  bool idle() const { return noting_.empty(); }
  // Writes what waits, and the last anchor.
  void stop() { book_->stop(); }

 private:
  AuditRecorder(const AuditSettings& settings, AuditFingerprinter fingerprinter, Loop& loop,
                const Clock& clock, Log& log, Hooks hooks);
  Status start(const AuditSettings& settings, Loop& loop);
  void name_peer(AuditRecord& record, const AuditedEvent& event) const;
  void completed(std::vector<AuditCompletion>&& completions);
  void tell_some();
  void noted(const AuditCompletion& deed);
  void anchored(const std::string& line);

  std::vector<std::string> upstreams_;
  std::string anchors_file_;
  AuditFingerprinter fingerprinter_;
  const Clock& clock_;
  Log& log_;
  Hooks hooks_;
  SystemRandom random_;  // the log's thread's
  AuditTicket next_note_;
  std::map<AuditTicket, Done> noting_;
  struct Commit {
    std::vector<AuditCompletion> completions;
    std::size_t told = 0;  // of them
  };
  std::deque<Commit> untold_;
  EachTurn next_turns_;  // while there are some
  struct Read {
    Result<AuditPage> page;
    PageDone done;
  };
  std::unique_ptr<MessageQueue<std::vector<AuditCompletion>>> completions_;
  std::unique_ptr<MessageQueue<Read>> pages_;
  std::unique_ptr<AuditLog> book_;  // goes first: its thread uses what stands above
};

// The name of this host in its records.
Result<std::string> audit_origin();

}  // namespace claimsd::daemon

// server.h: the claims socket: accepts workers, moves bytes between sockets and sessions, closes
// slow clients.
//
// Implements the service's AnswerSink. Owned by Daemon; loop thread. Destroy it before its Loop. No
// answer may arrive after it is destroyed.
#pragma once

#include <memory>
#include <optional>
#include <unordered_map>

#include "daemon/log/log.h"
#include "daemon/loop/idle.h"
#include "daemon/loop/stream_listener.h"
#include "daemon/loop/timer_fd.h"
#include "daemon/loop/unix_stream.h"
#include "daemon/server/admission.h"
#include "daemon/server/peer_table.h"
#include "daemon/server/refusals.h"
#include "daemon/server/server_counters.h"
#include "daemon/server/session.h"

namespace claimsd::server {

struct Settings {
  AdmissionPolicy admission;
  std::size_t write_queue_bytes =
      1024 * 1024;                            // per connection; above it the peer is a slow reader
  Duration slow_reader_timeout = seconds(5);  // time for a full write queue to drain
  Duration handshake_timeout = seconds(2);
};

class Server final : public claims::AnswerSink {
 public:
  static Result<std::unique_ptr<Server>> create(loop::Loop& loop, Settings settings, Log& log);
  ~Server() override;
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  // Sets where sessions send their queries. Call once, before open().
  void connect(SessionContext context);

  const Refusals& refusals() const { return refusals_; }

  // Called for refused connections, at most ten per second.
  using OnRefused = std::function<void(std::uint32_t uid, proto::FailureCode why)>;
  void on_refused(OnRefused callback) { on_refused_ = std::move(callback); }

  // Starts accepting, on a path or on a socket that is already listening (socket activation).
  Status open(const loop::ListenOptions& options);
  Status open(Fd inherited);

  // Applies new settings. Connections that are no longer allowed are closed.
  void reconfigure(Settings settings);
  // Replaces the map. A connection that holds the old one is closed once it has no open query, and
  // gets the new one when it reconnects. -1: there is no map.
  void replace_map(int descriptor);

  // Stops accepting; connections stay.
  void stop_listening() { listener_.reset(); }

  // RAII write batch: answers are coalesced into one write per connection and flushed on
  // destruction. For a busy connection only valid answers are flushed then. Its other answers wait
  // for the end of the `last` batch, and are then sent to one connection per loop iteration. One
  // batch at a time; never create one inside a callback of this server.
  class WriteBatch {
   public:
    WriteBatch(Server& server, bool last) : server_(server), last_(last) {
      server_.batching_ = true;
    }
    ~WriteBatch() { server_.end_batch(last_); }
    WriteBatch(const WriteBatch&) = delete;
    WriteBatch& operator=(const WriteBatch&) = delete;

   private:
    Server& server_;
    const bool last_;
  };

  void answer(const claims::Waiter& waiter, const claims::Answer& answer) override;
  void receipt(const claims::Waiter& waiter, proto::Reason reason) override;

  // The peer of a connection, with the name of its process; null if the connection is gone.
  const loop::PeerCredentials* peer(std::uint64_t connection) const;

  std::uint32_t connections() const { return admission_.connections(); }
  Counters counters() const;
  const PeerTable& peers() const { return peers_; }
  // True when no connection has queued bytes.
  bool drained() const;

 private:
  class Connection;

  Server(loop::Loop& loop, Settings settings, Log& log);
  loop::StreamListener::Handlers handlers();
  void accept(Fd fd);
  void turn_away(const Fd& fd, const loop::PeerCredentials& peer, proto::FailureCode why);
  void leave(std::uint32_t uid);
  Connection* find(std::uint64_t id) const;
  void end_batch(bool last);
  void close(std::uint64_t id);
  void defer(std::uint64_t id, bool pauses);
  void end_pauses();
  void run_iteration();
  void send_to_one();
  void work_off_one();
  void close_slow_clients();
  void retire();

  loop::Loop& loop_;
  Settings settings_;
  Log& log_;
  std::unique_ptr<SessionContext> context_;
  Admission admission_;
  claims::TokenBucket shown_;  // refusals reported by on_refused_
  PeerTable peers_;
  Refusals refusals_;
  Counters counters_;
  OnRefused on_refused_;
  std::unique_ptr<loop::StreamListener> listener_;
  std::unordered_map<std::uint64_t, std::unique_ptr<Connection>> connections_;
  std::uint64_t next_connection_ = 1;
  WipedBuffer outbox_;  // shared by all connections; used by the one that is corked
  bool batching_ = false;
  std::vector<std::uint64_t> batched_;  // connections with answers of a write batch
  std::deque<std::uint64_t> to_send_;   // those of them that are sent one per loop iteration
  std::optional<loop::TimerFd> sweep_;
  std::deque<std::uint64_t>
      deferred_;  // connections with unread frames, continued one per loop iteration
  std::vector<std::uint64_t> pausing_;  // paused by the rate limit, until pause_ fires
  loop::Idle idle_;                     // runs while deferred_ or to_send_ is not empty
  std::optional<loop::TimerFd> pause_;
  std::size_t refused_in_a_row_ = 0;  // since the last pause
};

}  // namespace claimsd::server

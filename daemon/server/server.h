// server.h: the claims socket: accepts workers, carries bytes between their sockets and their
// sessions, cuts off those who do not keep up.
//
// The service's AnswerSink. Loop thread; must be destroyed before its Loop, and after it no answer
// may arrive any more.
#pragma once

#include <memory>
#include <optional>
#include <unordered_map>

#include "daemon/log/log.h"
#include "daemon/loop/each_turn.h"
#include "daemon/loop/kernel_timer.h"
#include "daemon/loop/stream_listener.h"
#include "daemon/loop/unix_stream.h"
#include "daemon/server/admission.h"
#include "daemon/server/peer_table.h"
#include "daemon/server/server_counters.h"
#include "daemon/server/session.h"

namespace claimsd::daemon {

struct ServerSettings {
  AdmissionPolicy admission;
  std::size_t write_queue_bytes = 256 * 1024;  // per connection; more is a slow reader
  Duration slow_reader_timeout = seconds(5);   // for its queue to drain
  Duration handshake_timeout = seconds(2);
  bool names_commands = false;  // who connects is wanted by the name of its process, too
};

class Server final : public AnswerSink {
 public:
  static Result<std::unique_ptr<Server>> create(Loop& loop, ServerSettings settings, Log& log);
  ~Server() override;
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  // Where the sessions' questions go; once, before open().
  void connect(SessionContext context);

  // Told of every connection that is turned away.
  using OnRefused = std::function<void(std::uint32_t uid, proto::FailureCode why)>;
  void on_refused(OnRefused callback) { on_refused_ = std::move(callback); }

  // Starts accepting, on a path or on a socket that somebody opened for us.
  Status open(const ListenOptions& options);
  Status open(Fd inherited);

  // From now on. Who may not connect any more is cut off.
  void reconfigure(ServerSettings settings);
  // Another map: whoever has the old one is cut off as soon as no question of theirs is open, and
  // gets the new one when they come back. -1: there is none any more.
  void replace_map(int descriptor);

  // Stops accepting; connections stay.
  void stop_listening() { listener_.reset(); }

  // While it lives, what is answered is kept back, to leave in one write a connection: when it
  // ends; what is no valid answer to a connection that keeps the daemon busy only when one ends
  // that is the `last` of several, and then one connection a turn. One at a time, from outside of
  // this server's callbacks.
  class Gathering {
   public:
    Gathering(Server& server, bool last) : server_(server), last_(last) { server_.gathers_ = true; }
    ~Gathering() { server_.end_gathering(last_); }
    Gathering(const Gathering&) = delete;
    Gathering& operator=(const Gathering&) = delete;

   private:
    Server& server_;
    const bool last_;
  };

  void answer(const Waiter& waiter, const Answer& answer) override;
  void receipt(const Waiter& waiter, proto::Reason reason) override;

  // Who is at the other end; null: there is no such connection any more.
  const PeerCredentials* peer(std::uint64_t connection) const;

  std::uint32_t connections() const { return admission_.connections(); }
  const ServerCounters& counters() const { return counters_; }
  const PeerTable& peers() const { return peers_; }
  // Bytes that workers have not read yet.
  bool drained() const;

 private:
  class Connection;

  Server(Loop& loop, ServerSettings settings, Log& log);
  StreamListener::Handlers handlers();
  void accept(Fd fd);
  void turn_away(Connection& connection, proto::FailureCode why);
  void leave(std::uint32_t uid);
  Connection* find(std::uint64_t id) const;
  void end_gathering(bool last);
  void close(std::uint64_t id);
  void put_off(std::uint64_t id, bool pauses);
  void end_pauses();
  void take_turn();
  void send_to_one();
  void work_off_one();
  void cut_off_laggards();
  void retire();

  Loop& loop_;
  ServerSettings settings_;
  Log& log_;
  std::unique_ptr<SessionContext> context_;
  Admission admission_;
  PeerTable peers_;
  ServerCounters counters_;
  OnRefused on_refused_;
  std::unique_ptr<StreamListener> listener_;
  std::unordered_map<std::uint64_t, std::unique_ptr<Connection>> connections_;
  std::uint64_t next_connection_ = 1;
  std::vector<char> outbox_;  // of the connection whose bytes are being consumed
  bool gathers_ = false;
  std::vector<std::uint64_t> kept_back_;  // connections with answers of a gathering
  std::deque<std::uint64_t> to_send_;     // of them, those whose answers leave one a turn
  std::optional<KernelTimer> sweep_;
  std::deque<std::uint64_t> put_off_;   // connections with frames left for another turn, one a turn
  std::vector<std::uint64_t> pausing_;  // that have to wait a little longer
  EachTurn next_turns_;                 // while somebody is put off, or to be sent something
  std::optional<KernelTimer> pause_;
};

}  // namespace claimsd::daemon

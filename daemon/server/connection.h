// connection.h: one worker's socket and its session. Owned by Server; loop thread.
//
// It ends in one of three ways: `closing` (close it now), `retiring` (close it once no query is
// open), or `broken` (nothing can be sent any more; what the peer sent before is still read).
#pragma once

#include <optional>

#include "daemon/server/server.h"

namespace claimsd::server {

class Server::Connection final : public Wire {
 public:
  // `server` must outlive it.
  Connection(Server& server, std::uint64_t id)
      : server_(server), session_(id, *server.context_, *this), id_(id) {}

  // Takes over the socket. `row`: of its uid.
  Status adopt(Fd fd, const loop::PeerCredentials& who, PeerRow& row);
  Status start_reading() { return stream_->start_reading(); }

  void send(std::string_view frame) override;
  bool send_with_descriptor(std::string_view frame, int descriptor) override;
  void hang_up() override { closing_ = true; }

  // Between cork() and uncork(), frames collect in the server's shared outbox.
  void cork() { corked_ = true; }
  void uncork();
  // Sends the answers of a write batch (Server::WriteBatch).
  void send_batched();
  // Continues with the frames that the previous loop iteration left unread.
  void work_off();
  // Whether it used up its last time slices and then kept exceeding its limit.
  bool is_busy() const { return busy_; }

  Session& session() { return session_; }
  // Looks the name of the process up at the first call: only the audit log shows it.
  const loop::PeerCredentials& named_peer();
  std::uint32_t uid() const { return peer_.uid; }
  std::uint32_t gid() const { return peer_.gid; }
  // Close it as soon as none of its methods is on the stack.
  bool closing() const { return closing_; }
  // Close it once no query is open and no byte is queued.
  bool retires() const { return retiring_ && session_.open_queries() == 0 && queued_bytes() == 0; }
  void set_retiring() { retiring_ = true; }
  std::size_t queued_bytes() const { return batched_.size() + stream_->queued_bytes(); }
  // Whether it missed the handshake timeout or the slow-reader timeout.
  bool timed_out(Duration now) const;

 private:
  void on_data(std::string_view bytes);
  void consume(std::string_view bytes);
  void defer(bool pauses);
  void resume();
  void keep(std::string_view frame);
  void flush();
  void write(std::string_view bytes);

  Server& server_;
  Session session_;
  std::uint64_t id_;
  loop::PeerCredentials peer_;
  bool named_ = false;      // peer_ has the name of the process
  PeerRow* row_ = nullptr;  // of its uid
  bool closing_ = false;
  bool retiring_ = false;  // holds a map that is no longer valid
  bool broken_ = false;    // nothing can be sent any more
  bool deferred_ = false;  // deferred to another loop iteration; nothing is read until then
  bool busy_ = false;
  bool corked_ = false;
  WipedBuffer batched_;                  // answers of a write batch
  Duration since_{};                     // connect time, Loop::hrtime()
  std::optional<Duration> stuck_since_;  // when its write queue began to fill
  std::optional<loop::UnixStream> stream_;
};

}  // namespace claimsd::server

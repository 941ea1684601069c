// connection.h: one worker's socket with its session. Owned by Server; loop thread.
#pragma once

#include <optional>

#include "daemon/server/server.h"

namespace claimsd::daemon {

class Server::Connection final : public Wire {
 public:
  // `server` outlives it.
  Connection(Server& server, std::uint64_t id)
      : server_(server), session_(id, *server.context_, *this), id_(id) {}

  // Takes the socket over. `peer`: its row, where admission has let it in; none: it is refused.
  Status adopt(Fd fd, const PeerCredentials& who, PeerRow* peer);
  Status start_reading() { return stream_->start_reading(); }

  void send(std::string_view frame) override;
  bool send_with_descriptor(std::string_view frame, int descriptor) override;
  void hang_up() override { doomed_ = true; }

  // Between the two what is sent waits in the server's outbox, which is this connection's.
  void cork() { corked_ = true; }
  void uncork();
  // Sends what a gathering has kept back (Server::Gathering).
  void send_kept();
  // Goes on with what an earlier turn has left.
  void work_off();
  // Has it used its last turns up, and after that was refused on and on?
  bool is_busy() const { return busy_; }

  Session& session() { return session_; }
  const PeerCredentials& peer() const { return peer_; }
  std::uint32_t uid() const { return peer_.uid; }
  std::uint32_t gid() const { return peer_.gid; }
  bool admitted() const { return row_ != nullptr; }
  // To be closed as soon as nobody is using it.
  bool doomed() const { return doomed_; }
  // To be closed when nothing is open.
  bool retires() const {
    return retiring_ && session_.open_questions() == 0 && queued_bytes() == 0;
  }
  void set_retiring() { retiring_ = true; }
  std::size_t queued_bytes() const { return kept_.size() + stream_->queued_bytes(); }
  // Did it fail to shake hands, or to read its answers, in time?
  bool lags(Duration now) const;

 private:
  void on_data(std::string_view bytes);
  void consume(std::string_view bytes);
  void put_off(bool pauses);
  void resume();
  void keep(std::string_view frame);
  void flush();
  void write(std::string_view bytes);

  Server& server_;
  Session session_;
  std::uint64_t id_;
  PeerCredentials peer_;
  PeerRow* row_ = nullptr;  // its user's; null: it is refused
  bool doomed_ = false;
  bool retiring_ = false;  // has a map that nobody believes any more
  bool broken_ = false;    // nothing can be sent any more
  bool put_off_ = false;   // has a turn coming; nothing is read until then
  bool busy_ = false;
  bool corked_ = false;
  std::vector<char> kept_;               // by a gathering; what it holds room for is never moved
  Duration since_{};                     // when it connected, by Loop::hrtime()
  std::optional<Duration> stuck_since_;  // when its queue began to fill
  std::optional<UnixStream> stream_;
};

}  // namespace claimsd::daemon

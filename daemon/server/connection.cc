#include "daemon/server/connection.h"

#include <string.h>  // explicit_bzero(3)

#include <utility>

namespace claimsd::daemon {
namespace {

constexpr std::size_t kOutboxSize = 64 * 1024;

}  // namespace

Status Server::Connection::adopt(Fd fd, const PeerCredentials& who, PeerRow* peer) {
  peer_ = who;
  session_.set_peer(who.uid, peer);
  row_ = peer;
  since_ = Loop::hrtime();
  stream_ = TRY(UnixStream::adopt(server_.loop_, std::move(fd), server_.settings_.write_queue_bytes,
                                  {.on_data = [this](std::string_view bytes) { on_data(bytes); },
                                   .on_end = [this](int) { server_.close(id_); },
                                   .on_drained = [this] { resume(); }}));
  return {};
}

// Input from a busy connection is only queued behind the others. Otherwise several busy ones would
// add up and delay a query that arrived with theirs.
void Server::Connection::on_data(std::string_view bytes) {
  if (busy_) {
    session_.keep(bytes);
    put_off(false);
  } else {
    consume(bytes);
  }
  if (doomed_) server_.close(id_);
}

// A connection that keeps the daemon busy continues only after all others were served.
void Server::Connection::consume(std::string_view bytes) {
  cork();
  session_.consume(bytes);
  uncork();
  const std::size_t refused = session_.over_budget();
  busy_ = session_.has_backlog() || refused == Session::kRefusalsPerTurn || (busy_ && refused > 0);
  const bool pauses = row_ != nullptr && row_->refuse(refused);
  if (doomed_ || !(session_.has_backlog() || pauses)) return;
  put_off(pauses);
}

void Server::Connection::put_off(bool pauses) {
  stream_->stop_reading();
  put_off_ = true;
  server_.put_off(id_, pauses);
}

void Server::Connection::work_off() {
  put_off_ = false;
  if (doomed_ || stuck_since_) return;
  if (session_.has_backlog()) consume({});
  if (!doomed_ && !stuck_since_ && !put_off_ && !stream_->start_reading()) doomed_ = true;
}

void Server::Connection::send(std::string_view frame) {
  if (!corked_) return server_.gathers_ ? keep(frame) : write(frame);
  // Pipelined queries that arrived together are answered in one write.
  if (server_.outbox_.size() + frame.size() > kOutboxSize) flush();
  server_.outbox_.insert(server_.outbox_.end(), frame.begin(), frame.end());
}

void Server::Connection::keep(std::string_view frame) {
  if (kept_.size() + frame.size() > kOutboxSize) send_kept();
  if (kept_.empty()) {
    kept_.reserve(kOutboxSize);
    server_.kept_back_.push_back(id_);
  }
  kept_.insert(kept_.end(), frame.begin(), frame.end());
}

void Server::Connection::send_kept() {
  std::vector<char> kept = std::exchange(kept_, {});
  if (kept.empty()) return;
  write({kept.data(), kept.size()});
  explicit_bzero(kept.data(), kept.size());  // claims
}

// Bypasses the outbox: the descriptor must travel with this frame.
bool Server::Connection::send_with_descriptor(std::string_view frame, int descriptor) {
  flush();
  return !broken_ && stream_->write_with_descriptor(frame, descriptor);
}

void Server::Connection::uncork() {
  corked_ = false;
  flush();
}

void Server::Connection::flush() {
  std::vector<char>& outbox = server_.outbox_;
  if (outbox.empty()) return;
  write({outbox.data(), outbox.size()});
  explicit_bzero(outbox.data(), outbox.size());  // claims
  outbox.clear();
}

void Server::Connection::write(std::string_view bytes) {
  // After hang_up() frames that were sent before it still go out.
  if (broken_) return;
  switch (stream_->write(bytes)) {
    case WriteStatus::kSent: return;
    case WriteStatus::kQueued:
      // Backpressure: a peer that does not read its answers sends no further queries.
      stream_->stop_reading();
      if (!stuck_since_) stuck_since_ = Loop::hrtime();
      return;
    case WriteStatus::kOverLimit:
      server_.log_.warning("slow_reader",
                           "closed a connection of uid {}: {} bytes of unread answers", uid(),
                           stream_->queued_bytes());
      break;
    case WriteStatus::kFailed:
      // Input received before the peer left is still read to its end, because its reports count.
      broken_ = true;
      session_.peer_left();
      return;
  }
  broken_ = doomed_ = true;
}

void Server::Connection::resume() {
  stuck_since_.reset();
  if (put_off_) return;
  if (session_.has_backlog()) return work_off();
  if (!doomed_ && !stream_->start_reading()) doomed_ = true;
}

bool Server::Connection::lags(Duration now) const {
  if (!session_.shook_hands() && now - since_ > server_.settings_.handshake_timeout) return true;
  return stuck_since_ && now - *stuck_since_ > server_.settings_.slow_reader_timeout;
}

}  // namespace claimsd::daemon

#include "daemon/server/connection.h"

#include <utility>

namespace claimsd::server {
namespace {

constexpr std::size_t kOutboxSize = 64 * 1024;

}  // namespace

Status Server::Connection::adopt(Fd fd, const loop::PeerCredentials& who, PeerRow& row) {
  peer_ = who;
  session_.set_peer(who.uid, &row);
  row_ = &row;
  since_ = loop::Loop::hrtime();
  stream_ =
      TRY(loop::UnixStream::adopt(server_.loop_, std::move(fd), server_.settings_.write_queue_bytes,
                                  {.on_data = [this](std::string_view bytes) { on_data(bytes); },
                                   .on_end = [this](int) { server_.close(id_); },
                                   .on_drained = [this] { resume(); }}));
  return {};
}

const loop::PeerCredentials& Server::Connection::named_peer() {
  if (!named_) peer_.command = loop::command_of(peer_.pid);
  named_ = true;
  return peer_;
}

// Input from a busy connection is only queued behind the others. Otherwise several busy ones would
// add up and delay a query that arrived with theirs.
void Server::Connection::on_data(std::string_view bytes) {
  if (busy_) {
    session_.keep(bytes);
    defer(false);
  } else {
    consume(bytes);
  }
  if (closing_) server_.close(id_);
}

// A connection that keeps the daemon busy continues only after all others were served.
void Server::Connection::consume(std::string_view bytes) {
  cork();
  session_.consume(bytes);
  uncork();
  const std::size_t rejected = session_.rate_limited();
  busy_ = session_.has_backlog() || rejected == Session::kRejectionsPerIteration ||
          (busy_ && rejected > 0);
  const bool pauses = row_->refuse(rejected);
  if (closing_ || !(session_.has_backlog() || pauses)) return;
  defer(pauses);
}

void Server::Connection::defer(bool pauses) {
  stream_->stop_reading();
  deferred_ = true;
  server_.defer(id_, pauses);
}

void Server::Connection::work_off() {
  deferred_ = false;
  if (closing_ || stuck_since_) return;
  if (session_.has_backlog()) consume({});
  if (!closing_ && !stuck_since_ && !deferred_ && !stream_->start_reading()) closing_ = true;
}

void Server::Connection::send(std::string_view frame) {
  if (!corked_) return server_.batching_ ? keep(frame) : write(frame);
  // Pipelined queries that arrived together are answered in one write.
  if (server_.outbox_.size() + frame.size() > kOutboxSize) flush();
  server_.outbox_.append(frame);
}

void Server::Connection::keep(std::string_view frame) {
  if (batched_.size() + frame.size() > kOutboxSize) send_batched();
  if (batched_.empty()) {
    batched_.reserve(kOutboxSize);
    server_.batched_.push_back(id_);
  }
  batched_.append(frame);
}

void Server::Connection::send_batched() {
  const WipedBuffer kept = std::exchange(batched_, {});
  if (!kept.empty()) write(kept.view());
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
  WipedBuffer& outbox = server_.outbox_;
  if (outbox.empty()) return;
  write(outbox.view());
  outbox.clear();
}

void Server::Connection::write(std::string_view bytes) {
  // After hang_up() frames that were sent before it still go out.
  if (broken_) return;
  switch (stream_->write(bytes)) {
    case loop::WriteStatus::kSent: return;
    case loop::WriteStatus::kQueued:
      // Backpressure: a peer that does not read its answers sends no further queries.
      stream_->stop_reading();
      if (!stuck_since_) stuck_since_ = loop::Loop::hrtime();
      return;
    case loop::WriteStatus::kOverLimit:
      server_.log_.warning("slow_reader",
                           "closed a connection of uid {}: {} bytes of unread answers", uid(),
                           stream_->queued_bytes());
      break;
    case loop::WriteStatus::kFailed:
      // Input received before the peer left is still read to its end, because its reports count.
      broken_ = true;
      session_.peer_left();
      return;
  }
  broken_ = closing_ = true;
}

void Server::Connection::resume() {
  stuck_since_.reset();
  if (deferred_) return;
  if (session_.has_backlog()) return work_off();
  if (!closing_ && !stream_->start_reading()) closing_ = true;
}

bool Server::Connection::timed_out(Duration now) const {
  if (!session_.shook_hands() && now - since_ > server_.settings_.handshake_timeout) return true;
  return stuck_since_ && now - *stuck_since_ > server_.settings_.slow_reader_timeout;
}

}  // namespace claimsd::server

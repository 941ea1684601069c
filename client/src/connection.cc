#include "client/src/connection.h"

#include <errno.h>
#include <sys/socket.h>

#include "client/src/passed_fd.h"
#include "client/src/socket.h"

namespace claimsd::client_impl {
namespace {

// Files a frame from the daemon into the Reply if it answers `id`, or speaks of the connection as a
// whole (id 0).
struct ReplyFiler {
  std::uint32_t wanted_id;
  Reply& reply;
  bool filed = false;

  template <class Message>
  void file(const Message& message, std::uint32_t id, Message Reply::*place) {
    if (id != wanted_id && id != 0) return;  // an answer that nobody waits for any more
    reply.*place = message;
    reply.type = Message::kType;
    filed = true;
  }
  void operator()(const proto::Welcome& message, std::uint32_t id) {
    file(message, id, &Reply::welcome);
  }
  void operator()(const proto::Failure& message, std::uint32_t id) {
    file(message, id, &Reply::failure);
  }
  void operator()(const proto::Pong& message, std::uint32_t id) { file(message, id, &Reply::pong); }
  void operator()(const proto::Answer& message, std::uint32_t id) {
    file(message, id, &Reply::answer);
  }
  void operator()(const proto::Receipt& message, std::uint32_t id) {
    file(message, id, &Reply::receipt);
  }
};

bool peer_is_gone(int error) {
  return error == EPIPE || error == ECONNRESET;
}

}  // namespace

std::size_t Introduction::encode(std::uint32_t request_id, char* buffer,
                                 std::size_t capacity) const {
  const proto::Hello hello{.version_min = proto::kVersion,
                           .version_max = proto::kVersion,
                           .features = features,
                           .client_name = client_name,
                           .upstream_url = upstream_url};
  return proto::encode(hello, request_id, buffer, capacity);
}

Outcome check_welcome(const proto::Welcome& welcome) {
  return welcome.version == proto::kVersion ? kDone : final_outcome(Reason::kProtocol);
}

Outcome Connection::open(const DaemonAddress& address, const Introduction& introduction,
                         Deadline deadline, Welcomed& welcomed) {
  close();
  if (!buffer_.ensure(proto::kMaxFrame)) return final_outcome(Reason::kNoResources);
  if (const Outcome outcome = connect_blocking(address, deadline, timeout_ms_, fd_);
      !outcome.done())
    return outcome;
  next_id_ = 1;
  established_ns_ = now_ns();
  uid_ = geteuid();

  Reply reply;
  const std::uint32_t id = next_id_++;
  const std::size_t size = introduction.encode(id, buffer_.data(), buffer_.size());
  passed_ = &welcomed.map;
  Outcome outcome =
      exchange(size, id, proto::MessageType::kWelcome, deadline, deadline.left_ms(), reply);
  passed_ = nullptr;
  if (outcome.done()) outcome = check_welcome(reply.welcome);
  if (!outcome.done()) close();
  welcomed.message = reply.welcome;
  features_ = reply.welcome.features;
  return outcome;
}

Outcome Connection::exchange(std::size_t size, std::uint32_t id, proto::MessageType wanted,
                             Deadline deadline, std::uint32_t left_ms, Reply& reply) {
  if (size == 0) {  // not to be: read_question() keeps every string within its limit
    explicit_bzero(buffer_.data(), buffer_.size());
    return final_outcome(Reason::kInternal);
  }
  Outcome outcome = send_all(size, deadline, left_ms);
  explicit_bzero(buffer_.data(), size);
  used_ = taken_ = 0;
  if (outcome.done()) outcome = receive(id, deadline, reply);
  if (outcome.done() && reply.type == proto::MessageType::kFailure) {
    outcome = outcome_of(static_cast<proto::FailureCode>(reply.failure.code));
  } else if (outcome.done() && reply.type != wanted) {
    outcome = final_outcome(Reason::kProtocol);
  }
  // More than was asked for, such as a notice that the daemon stops: what follows is not ours to
  // guess. The reply stays readable.
  if (!outcome.done() || taken_ != used_) fd_.close();
  return outcome;
}

Outcome Connection::send_all(std::size_t size, Deadline deadline, std::uint32_t left_ms) {
  if (!fd_.still_ours()) return kLost;  // never a token into somebody else's file
  if (!adjust_timeout(left_ms)) return final_outcome(Reason::kTimeout);
  for (std::size_t sent = 0; sent < size;) {
    const ssize_t count = send(fd_.get(), buffer_.data() + sent, size - sent, MSG_NOSIGNAL);
    if (count < 0) {
      // It may have said why before it left: receive() reads that or finds the end.
      if (peer_is_gone(errno)) return kDone;
      if (errno != EINTR && errno != EAGAIN) return kLost;
    } else {
      sent += static_cast<std::size_t>(count);
    }
    if (sent == size) break;
    if (const Outcome outcome = resume(deadline); !outcome.done()) return outcome;
  }
  return kDone;
}

Outcome Connection::receive(std::uint32_t id, Deadline deadline, Reply& reply) {
  for (;;) {
    Outcome outcome = receive_some(deadline);
    if (!outcome.done()) return outcome;
    if (take_frame(id, reply, outcome)) return outcome;
    // A peer that trickles keeps every recv short, so that none of them runs into the socket's
    // timeout.
    outcome = resume(deadline);
    if (!outcome.done()) return outcome;
  }
}

Outcome Connection::receive_some(Deadline deadline) {
  for (;;) {
    const ssize_t count = receive_bytes();
    if (count > 0) {
      used_ += static_cast<std::size_t>(count);
      return kDone;
    }
    if (count == 0 || (errno != EINTR && errno != EAGAIN)) return kLost;
    if (const Outcome outcome = resume(deadline); !outcome.done()) return outcome;
  }
}

ssize_t Connection::receive_bytes() {
  char* const place = buffer_.data() + used_;
  const std::size_t room = buffer_.size() - used_;
  return passed_ == nullptr ? recv(fd_.get(), place, room, 0)
                            : receive_with_fd(fd_.get(), place, room, 0, *passed_);
}

// True when there is a result: a frame for us in `reply`, or bytes that are no frame. Frames for
// others are dropped.
bool Connection::take_frame(std::uint32_t id, Reply& reply, Outcome& outcome) {
  for (;;) {
    const std::string_view bytes(buffer_.data() + taken_, used_ - taken_);
    proto::FrameHeader header;
    const proto::FrameStatus status = proto::frame_status(bytes, header);
    if (status == proto::FrameStatus::kIncomplete) {
      std::memmove(buffer_.data(), bytes.data(), bytes.size());
      used_ = bytes.size();
      taken_ = 0;
      return false;
    }
    outcome = final_outcome(Reason::kProtocol);
    if (status != proto::FrameStatus::kComplete) return true;
    ReplyFiler filer{id, reply};
    const std::string_view payload(bytes.data() + proto::kHeaderSize, header.payload_size);
    if (proto::dispatch<proto::Sender::kDaemon>(header, payload, filer) !=
        proto::Dispatched::kHandled) {
      return true;
    }
    taken_ += header.frame_size();
    outcome = kDone;
    if (filer.filed) return true;
  }
}

// Before a system call is made again: meanwhile the application may have put a file of its own in
// the place of the descriptor.
Outcome Connection::resume(Deadline deadline) {
  if (!fd_.still_ours()) return kLost;
  return adjust_timeout(deadline.left_ms()) ? kDone : final_outcome(Reason::kTimeout);
}

// False once the deadline has passed. Costs no system call while questions keep to one timeout.
bool Connection::adjust_timeout(std::uint32_t left_ms) {
  if (left_ms == 0) return false;
  if (left_ms != timeout_ms_ && set_socket_timeout(fd_.get(), left_ms)) timeout_ms_ = left_ms;
  return true;
}

void Connection::wipe() {
  if (buffer_.data() != nullptr) explicit_bzero(buffer_.data(), used_);
  used_ = taken_ = 0;
}

void Connection::close() {
  wipe();
  fd_.close();
}

}  // namespace claimsd::client_impl

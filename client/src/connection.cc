#include "client/src/connection.h"

#include <errno.h>
#include <sys/socket.h>

#include "client/src/passed_fd.h"
#include "client/src/socket.h"

namespace claimsd::client {
namespace {

// Stores a frame in the Reply if it answers `id` or concerns the whole connection (id 0).
struct ReplyFiler {
  std::uint32_t wanted_id;
  Reply& reply;
  bool filed = false;

  template <class Message>
  void file(const Message& message, std::uint32_t id, Message Reply::*place) {
    if (id != wanted_id && id != 0) return;  // a late answer to an earlier query
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
      exchange(size, id, proto::MessageType::kWelcome, deadline, deadline.remaining_ms(), reply);
  passed_ = nullptr;
  if (outcome.done()) outcome = check_welcome(reply.welcome);
  if (!outcome.done()) close();
  welcomed.message = reply.welcome;
  features_ = reply.welcome.features;
  return outcome;
}

Outcome Connection::exchange(std::size_t size, std::uint32_t id, proto::MessageType wanted,
                             Deadline deadline, std::uint32_t remaining_ms, Reply& reply) {
  if (size == 0) {  // unreachable: read_query_request() limits every string
    explicit_bzero(buffer_.data(), buffer_.size());
    return final_outcome(Reason::kInternal);
  }
  Outcome outcome = send_all(size, deadline, remaining_ms);
  explicit_bzero(buffer_.data(), size);
  used_ = taken_ = 0;
  if (outcome.done()) outcome = receive(id, deadline, reply);
  if (outcome.done() && reply.type == proto::MessageType::kFailure) {
    outcome = outcome_of(static_cast<proto::FailureCode>(reply.failure.code));
  } else if (outcome.done() && reply.type != wanted) {
    outcome = final_outcome(Reason::kProtocol);
  }
  // Close the connection after extra bytes, such as a notice that the daemon stops. The reply stays
  // readable.
  if (!outcome.done() || taken_ != used_) fd_.close();
  return outcome;
}

Outcome Connection::send_all(std::size_t size, Deadline deadline, std::uint32_t remaining_ms) {
  if (!fd_.still_ours()) return kLost;  // never write a token to another file
  if (!adjust_timeout(deadline.slice_ms(remaining_ms))) return over(deadline);
  for (std::size_t sent = 0; sent < size;) {
    const ssize_t count = send(fd_.get(), buffer_.data() + sent, size - sent, MSG_NOSIGNAL);
    if (count < 0) {
      // The daemon may have sent a reason before it closed: receive() reads that or the end.
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
    // Check the deadline here: a slow peer that sends byte by byte never triggers the socket's
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

// True if there is a result: the wanted frame in `reply`, or a protocol error in `outcome`. Other
// frames are dropped.
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

// Checks before a system call is repeated: the application may have reused the descriptor's number
// meanwhile.
Outcome Connection::resume(Deadline deadline) {
  if (!fd_.still_ours()) return kLost;
  return adjust_timeout(deadline.slice_ms(deadline.remaining_ms())) ? kDone : over(deadline);
}

// False once the deadline has passed. Makes no system call while the timeout stays the same.
bool Connection::adjust_timeout(std::uint32_t remaining_ms) {
  if (remaining_ms == 0) return false;
  if (remaining_ms != timeout_ms_ && set_socket_timeout(fd_.get(), remaining_ms))
    timeout_ms_ = remaining_ms;
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

}  // namespace claimsd::client

// Input and output of a stream.
#include <errno.h>
#include <sys/socket.h>

#include "client/src/passed_fd.h"
#include "client/src/stream.h"

namespace claimsd::client {

// Handles the daemon's frames.
struct StreamFrames {
  Stream& stream;

  void operator()(const proto::Welcome& welcome, std::uint32_t /*id*/) {
    const Outcome outcome = check_welcome(welcome);
    if (stream.state_ != Stream::State::kGreeting || !outcome.done()) {
      stream.finish_all(Reason::kProtocol);
      return;
    }
    stream.handle_.welcome(welcome, std::move(stream.passed_map_));
    stream.features_ = welcome.features;
    stream.state_ = Stream::State::kUp;
    if ((welcome.features & proto::kFeatureReports) == 0) stream.withdraw_reports();
    stream.flush();
  }

  void operator()(const proto::Failure& failure, std::uint32_t id) {
    const Outcome outcome = outcome_of(static_cast<proto::FailureCode>(failure.code));
    if (outcome.result == StepResult::kLost) {
      stream.lose();
    } else if (id == 0 || stream.state_ == Stream::State::kGreeting) {
      stream.finish_all(outcome.reason);
    } else if (OpenQuery* const request = sent(id)) {
      stream.finish(*request, lookup_result_of(outcome.reason));
    }
  }

  void operator()(const proto::Pong& /*pong*/, std::uint32_t /*id*/) {}

  void operator()(const proto::Answer& answer, std::uint32_t id) {
    // Null if the query was removed and its answer is late.
    OpenQuery* const request = sent(id);
    if (request == nullptr) return;
    stream.finish(*request, request->is_report ? lookup_result_of(Reason::kProtocol)
                                               : lookup_result_of(answer));
  }

  void operator()(const proto::Receipt& receipt, std::uint32_t id) {
    OpenQuery* const report = sent(id);
    if (report == nullptr) return;
    if (!report->is_report) return stream.finish(*report, lookup_result_of(Reason::kProtocol));
    if (is_recorded(receipt)) return stream.record(*report);
    stream.finish(*report, lookup_result_of(receipt));
  }

  OpenQuery* sent(std::uint32_t id) const {
    OpenQuery* const request = stream.table_.find(id);
    const bool waits = request != nullptr && request->state == OpenQuery::State::kSent;
    return waits ? request : nullptr;
  }
};

ssize_t Stream::send_bytes(const char* bytes, std::size_t size) {
  ssize_t count = 0;
  do {
    count = ::send(socket_.get(), bytes, size, MSG_NOSIGNAL | MSG_DONTWAIT);
  } while (count < 0 && errno == EINTR && socket_.still_ours());
  return count;
}

// Sends queued frames until the socket is full. read_answers() handles a broken socket, because it
// may first read the daemon's reason.
void Stream::flush() {
  if (!socket_.still_ours() || !flush_rest()) return;
  while (OpenQuery* const request = unsent_.first()) {
    if (request->is_report && state_ == State::kUp && (features_ & proto::kFeatureReports) == 0) {
      unsent_.pop();
      finish(*request, lookup_result_of(Reason::kNoReports));
      continue;
    }
    const ssize_t count = send_bytes(request->frame(), request->frame_size);
    if (count < 0) {
      want_write(errno == EAGAIN);
      return;
    }
    unsent_.pop();
    request->state = OpenQuery::State::kSent;
    const auto sent = static_cast<std::size_t>(count);
    if (sent < request->frame_size) {
      rest_end_ = request->frame_size - sent;
      std::memcpy(rest_.data(), request->frame() + sent, rest_end_);
      want_write(true);
      return;
    }
  }
  want_write(false);
}

// True once the last partly sent frame is sent.
bool Stream::flush_rest() {
  while (rest_begin_ < rest_end_) {
    const ssize_t count = send_bytes(rest_.data() + rest_begin_, rest_end_ - rest_begin_);
    if (count < 0) return false;
    rest_begin_ += static_cast<std::size_t>(count);
  }
  explicit_bzero(rest_.data(), rest_end_);
  rest_begin_ = rest_end_ = 0;
  return true;
}

void Stream::want_write(bool wanted) {
  if (wanted == wants_write_) return;
  wants_write_ = wanted;
  wait_.want_write(socket_.get(), wanted);
}

void Stream::read_answers() {
  if (!socket_.still_ours()) {
    lose();
    return;
  }
  while (state_ != State::kDown && completed_.empty()) {
    const std::size_t room = input_.size() - input_used_;
    const ssize_t count = receive_bytes(room);
    if (count > 0) {
      input_used_ += static_cast<std::size_t>(count);
      take_frames();
      if (static_cast<std::size_t>(count) < room)
        return;  // that was all; if not, the descriptor is readable again
    } else if (count == 0 || (errno != EINTR && errno != EAGAIN)) {
      lose();
    } else if (errno == EAGAIN) {
      return;
    }
  }
}

ssize_t Stream::receive_bytes(std::size_t room) {
  char* const place = input_.data() + input_used_;
  return state_ == State::kGreeting
             ? receive_with_fd(socket_.get(), place, room, MSG_DONTWAIT, passed_map_)
             : recv(socket_.get(), place, room, MSG_DONTWAIT);
}

void Stream::take_frames() {
  std::size_t taken = 0;
  while (state_ != State::kDown) {
    const std::string_view bytes(input_.data() + taken, input_used_ - taken);
    proto::FrameHeader header;
    const proto::FrameStatus status = proto::frame_status(bytes, header);
    if (status == proto::FrameStatus::kIncomplete) break;
    const std::string_view payload(bytes.data() + proto::kHeaderSize, header.payload_size);
    if (status != proto::FrameStatus::kComplete ||
        proto::dispatch<proto::Sender::kDaemon>(header, payload, StreamFrames{*this}) !=
            proto::Dispatched::kHandled) {
      finish_all(Reason::kProtocol);
      return;
    }
    taken += header.frame_size();
  }
  if (state_ == State::kDown) return;  // and the input has been wiped
  const std::size_t kept = input_used_ - taken;
  std::memmove(input_.data(), input_.data() + taken, kept);
  explicit_bzero(input_.data() + kept, taken);
  input_used_ = kept;
}

}  // namespace claimsd::client

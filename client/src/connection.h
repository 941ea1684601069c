// connection.h: one blocking connection to the daemon, for one thread at a time; the pool owns
// them.
//
// A question costs one send and, normally, one recv: the time-outs lie in the socket (SO_RCVTIMEO)
// and are set again only when a question's differs. A call that was interrupted goes on only if the
// descriptor is still ours, with what remains of its time. Nothing is pipelined here, so the one
// buffer serves both ways. Any outcome but kDone has closed the connection: after a time-out too,
// which tells the daemon that nobody waits any more.
#pragma once

#include "client/src/deadline.h"
#include "client/src/memory.h"
#include "client/src/outcome.h"
#include "client/src/owned_fd.h"
#include "proto/codec.h"

namespace claimsd::client_impl {

class DaemonAddress;

// What a client says about itself. Views of strings that the handle owns.
struct Introduction {
  std::uint64_t features;
  std::string_view client_name;
  std::string_view upstream_url;

  // Writes the Hello frame. Features are offered here and granted in the Welcome.
  std::size_t encode(std::uint32_t request_id, char* buffer, std::size_t capacity) const;
};

// What came with a Welcome, beside the connection.
struct Welcomed {
  proto::Welcome message;
  OwnedFd map;
};

// Is this the Welcome we can live with?
Outcome check_welcome(const proto::Welcome& welcome);

// The one frame that answered. Strings are views into the connection's buffer: good until its next
// use.
struct Reply {
  proto::MessageType type{};
  proto::Welcome welcome;
  proto::Failure failure;
  proto::Pong pong;
  proto::Answer answer;
  proto::Receipt receipt;
};

class Connection {
 public:
  bool connected() const { return static_cast<bool>(fd_); }
  std::int64_t established_ns() const { return established_ns_; }
  // The effective user id that it was opened with, as which the daemon knows it.
  uid_t uid() const { return uid_; }
  // What its Welcome granted.
  std::uint64_t features() const { return features_; }

  // Connects and shakes hands.
  Outcome open(const DaemonAddress& address, const Introduction& introduction, Deadline deadline,
               Welcomed& welcomed);

  // Asks one question and waits for its answer, which must be of the type `wanted`. `left_ms`: what
  // is left of the deadline now, so that the clock is read once for it and for the message.
  template <class Message>
  Outcome ask(const Message& message, proto::MessageType wanted, Deadline deadline,
              std::uint32_t left_ms, Reply& reply) {
    const std::uint32_t id = next_id_++;
    const std::size_t size = proto::encode(message, id, buffer_.data(), buffer_.size());
    return exchange(size, id, wanted, deadline, left_ms, reply);
  }

  // The caller is done with the reply: no claim stays behind in the buffer.
  void wipe();

  // Closes what this process holds, without a byte to the peer; wipes what passed through.
  void close();

 private:
  Outcome exchange(std::size_t size, std::uint32_t id, proto::MessageType wanted, Deadline deadline,
                   std::uint32_t left_ms, Reply& reply);
  Outcome send_all(std::size_t size, Deadline deadline, std::uint32_t left_ms);
  Outcome receive(std::uint32_t id, Deadline deadline, Reply& reply);
  Outcome receive_some(Deadline deadline);
  ssize_t receive_bytes();
  bool take_frame(std::uint32_t id, Reply& reply, Outcome& outcome);
  Outcome resume(Deadline deadline);
  bool adjust_timeout(std::uint32_t left_ms);

  OwnedFd fd_;
  OwnedFd* passed_ = nullptr;  // during the handshake: where a descriptor may arrive
  Buffer buffer_;
  std::size_t used_ = 0;   // bytes received
  std::size_t taken_ = 0;  // of which so many were whole frames and are done with
  std::int64_t established_ns_ = 0;
  uid_t uid_ = 0;
  std::uint64_t features_ = 0;
  std::uint32_t timeout_ms_ = 0;  // as the socket has it
  std::uint32_t next_id_ = 1;
};

}  // namespace claimsd::client_impl

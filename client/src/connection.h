// connection.h: one blocking connection to the daemon. Owned by the pool; one thread at a time.
//
// A query costs one send and normally one recv. Timeouts are set on the socket (SO_RCVTIMEO) and
// changed only when a query's timeout differs. An interrupted call resumes with the remaining time,
// and only if the descriptor still refers to our socket. Queries are not pipelined, so one buffer
// serves both directions. Every outcome but kDone closes the connection, which also cancels the
// query in the daemon after a timeout.
#pragma once

#include "client/src/deadline.h"
#include "client/src/memory.h"
#include "client/src/outcome.h"
#include "client/src/owned_fd.h"
#include "proto/codec.h"

namespace claimsd::client {

class DaemonAddress;

// The client's part of the handshake. Views of strings that the handle owns.
struct Introduction {
  std::uint64_t features;
  std::string_view client_name;
  std::string_view upstream_url;

  // Writes the Hello frame. Features are offered here and granted in the Welcome.
  std::size_t encode(std::uint32_t request_id, char* buffer, std::size_t capacity) const;
};

// The Welcome message and the descriptor that came with it.
struct Welcomed {
  proto::Welcome message;
  OwnedFd map;
};

// Checks version and features of a Welcome.
Outcome check_welcome(const proto::Welcome& welcome);

// The frame that answered. Strings are views into the connection's buffer, valid until its next
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
  // The effective user id at open(), which is the daemon's view of the peer.
  uid_t uid() const { return uid_; }
  // The features that the Welcome granted.
  std::uint64_t features() const { return features_; }

  // Connects and makes the handshake.
  Outcome open(const DaemonAddress& address, const Introduction& introduction, Deadline deadline,
               Welcomed& welcomed);

  // Sends one query and waits for its answer of type `wanted`. `remaining_ms` is the remaining time, so that the clock is read once for it and for the message.
  template <class Message>
  Outcome call(const Message& message, proto::MessageType wanted, Deadline deadline,
               std::uint32_t remaining_ms, Reply& reply) {
    const std::uint32_t id = next_id_++;
    const std::size_t size = proto::encode(message, id, buffer_.data(), buffer_.size());
    return exchange(size, id, wanted, deadline, remaining_ms, reply);
  }

  // Wipes the claims from the buffer. Call it after the last use of the reply.
  void wipe();

  // Closes the socket without writing to it, and wipes the buffer.
  void close();

 private:
  Outcome exchange(std::size_t size, std::uint32_t id, proto::MessageType wanted, Deadline deadline,
                   std::uint32_t remaining_ms, Reply& reply);
  Outcome send_all(std::size_t size, Deadline deadline, std::uint32_t remaining_ms);
  Outcome receive(std::uint32_t id, Deadline deadline, Reply& reply);
  Outcome receive_some(Deadline deadline);
  ssize_t receive_bytes();
  bool take_frame(std::uint32_t id, Reply& reply, Outcome& outcome);
  Outcome resume(Deadline deadline);
  bool adjust_timeout(std::uint32_t remaining_ms);

  OwnedFd fd_;
  OwnedFd* passed_ = nullptr;  // during the handshake: where a descriptor may arrive
  Buffer buffer_;
  std::size_t used_ = 0;   // bytes received
  std::size_t taken_ = 0;  // bytes of frames already processed
  std::int64_t established_ns_ = 0;
  uid_t uid_ = 0;
  std::uint64_t features_ = 0;
  std::uint32_t timeout_ms_ = 0;  // as set on the socket
  std::uint32_t next_id_ = 1;
};

}  // namespace claimsd::client

// fake_daemon.h: a scripted daemon on a real Unix socket.
//
// Each accepted connection runs the script on its own thread. Scripts must not use Catch2
// assertions, which are not thread-safe: record in the script, assert in the test. stop() and the
// destructor close all connections and join all threads.
#pragma once

#include <atomic>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "proto/codec.h"

namespace claimsd::testing {

// A received frame. `as<Query>()` decodes it; the message has views into the frame.
struct Frame {
  proto::FrameHeader header;
  std::string bytes;

  template <class Message>
  std::optional<Message> as() const {
    Message message;
    const bool of_type = header.type == static_cast<std::uint16_t>(Message::kType);
    if (!of_type || !proto::decode(std::string_view(bytes).substr(proto::kHeaderSize), message)) {
      return std::nullopt;
    }
    return message;
  }
};

// One connection, driven by the script.
class Peer {
 public:
  Peer(int fd, int number) : fd_(fd), number_(number) {}

  int number() const { return number_; }  // 0 for the first connection
  int uid() const;                        // the user as which the client connected
  std::optional<Frame> receive();         // nothing once the client or the test has hung up
  bool send_bytes(std::string_view bytes);
  void hang_up();

  template <class Message>
  bool send(const Message& message, std::uint32_t request_id) {
    std::string frame(proto::kMaxFrame, '\0');
    frame.resize(proto::encode(message, request_id, frame.data(), frame.size()));
    return send_bytes(frame);
  }

  // Sends the message, with the descriptors attached to its first byte (SCM_RIGHTS).
  bool send_with(const proto::Welcome& message, std::uint32_t request_id,
                 const std::vector<int>& fds);

  // Receives Hello and sends Welcome. Returns false if another message came.
  bool welcome();

 private:
  int fd_;
  int number_;
  std::string received_;
};

class FakeDaemon {
 public:
  using Script = std::function<void(Peer&)>;

  FakeDaemon(std::string path, Script script);
  FakeDaemon(const FakeDaemon&) = delete;
  FakeDaemon& operator=(const FakeDaemon&) = delete;
  ~FakeDaemon();

  const std::string& path() const { return path_; }
  int connections() const { return connections_; }  // accepted so far, including before restarts

  void stop();   // closes all connections and removes the socket file, like a
                 // daemon without socket activation
  void start();  // listens again

 private:
  void accept_all();

  std::string path_;
  Script script_;
  int listener_ = -1;
  std::atomic<int> connections_ = 0;
  std::thread acceptor_;
  std::mutex mutex_;  // guards the two below
  std::vector<int> peers_;
  std::vector<std::thread> scripts_;
};

// Building blocks for scripts.

// A claims block with the given id, email and roles.
std::string claims_block(std::string_view id, std::string_view email = "a@b.example",
                         const std::vector<std::string>& roles = {"rvt"},
                         std::string_view raw = R"({"more":true})");

// A valid answer from the cache. `block` must outlive it.
proto::Answer valid_answer(std::string_view block);
proto::Answer refusal(proto::Verdict verdict, proto::Reason reason);

// Sends Welcome, then answers every query with the token as the user id, and every ping, until the
// client hangs up.
void serve_tokens_as_ids(Peer& peer);

}  // namespace claimsd::testing

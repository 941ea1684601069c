// fake_daemon.h: a daemon that does as a test's script says, over a real Unix socket.
//
// Each accepted connection runs the script on a thread of its own. Scripts must not use Catch2's
// assertions (they are not thread-safe): they record, the test asserts. stop() and the destructor
// hang up on everybody and join all threads.
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

// A frame as it came; `as<Query>()` is its message, with views into it.
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

// One connection, in the hands of the script.
class Peer {
 public:
  Peer(int fd, int number) : fd_(fd), number_(number) {}

  int number() const { return number_; }  // 0 is the first connection ever
  int uid() const;                        // as which the client connected
  std::optional<Frame> receive();         // nothing once the client, or the test, has hung up
  bool send_bytes(std::string_view bytes);
  void hang_up();

  template <class Message>
  bool send(const Message& message, std::uint32_t request_id) {
    std::string frame(proto::kMaxFrame, '\0');
    frame.resize(proto::encode(message, request_id, frame.data(), frame.size()));
    return send_bytes(frame);
  }

  // The message, and descriptors with its first byte (SCM_RIGHTS).
  bool send_with(const proto::Welcome& message, std::uint32_t request_id,
                 const std::vector<int>& fds);

  // Receives the Hello and greets. False if something else came.
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
  int connections() const { return connections_; }  // accepted so far, over all restarts

  void stop();   // hangs up on everybody; the socket file is removed, as by a daemon that is not
                 // socket-activated
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

// Parts of scripts.

// A block of claims for `id`, with the roles given.
std::string claims_block(std::string_view id, std::string_view email = "a@b.example",
                         const std::vector<std::string>& roles = {"rvt"},
                         std::string_view raw = R"({"more":true})");

// A valid answer out of the cache. `block` must outlive it.
proto::Answer valid_answer(std::string_view block);
proto::Answer refusal(proto::Verdict verdict, proto::Reason reason);

// Welcomes, then answers every question with the token as the user's id, and every ping, until the
// client hangs up.
void serve_tokens_as_ids(Peer& peer);

}  // namespace claimsd::testing

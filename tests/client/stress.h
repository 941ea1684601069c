// stress.h: a daemon for stress tests, and their length.
//
// StressDaemon is a separate process with one thread and epoll. It serves hundreds of clients and
// frees the state of closed connections. The user id of a token is its last 200 bytes.
#pragma once

#include <signal.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <map>

#include "tests/client/host.h"

namespace claimsd::testing {

// The number in the environment variable; without it the number for a short run.
inline int count_from(const char* variable, int short_run) {
  const char* const wanted = std::getenv(variable);
  return wanted == nullptr ? short_run : std::atoi(wanted);
}

// Memory of this process in KiB: VmRSS of proc_pid_status(5).
inline long resident_kib() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.rfind("VmRSS:", 0) == 0) return std::stol(line.substr(6));
  }
  return 0;
}

inline std::string_view user_of(std::string_view token) {
  return token.substr(token.size() > 200 ? token.size() - 200 : 0);
}

class StressDaemon {
 public:
  // Changes each answer before it is sent; `number` counts the answers.
  using Change = std::function<void(std::string& frame, unsigned number)>;

  explicit StressDaemon(const std::string& path, Change change = {}) : change_(std::move(change)) {
    sockaddr_un address{.sun_family = AF_UNIX, .sun_path = {}};
    path.copy(address.sun_path, sizeof address.sun_path - 1);
    listener_ = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (bind(listener_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0 ||
        listen(listener_, 4096) != 0) {
      throw std::runtime_error("cannot listen on " + path);
    }
    child_ = fork();
    if (child_ == 0) {
      prctl(PR_SET_PDEATHSIG, SIGKILL);
      serve();
    }
    close(listener_);
  }
  StressDaemon(const StressDaemon&) = delete;
  StressDaemon& operator=(const StressDaemon&) = delete;
  ~StressDaemon() {
    kill(child_, SIGKILL);
    waitpid(child_, nullptr, 0);
  }

 private:
  [[noreturn]] void serve() {
    const int epoll = epoll_create1(EPOLL_CLOEXEC);
    watch(epoll, listener_);
    std::map<int, std::string> received;  // by connection
    for (;;) {
      epoll_event events[64];
      const int count = epoll_wait(epoll, events, 64, -1);
      for (int i = 0; i < count; ++i) {
        const int fd = events[i].data.fd;
        if (fd == listener_) {
          for (int peer; (peer = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC)) >= 0;) {
            watch(epoll, peer);
          }
        } else if (!read_from(fd, received[fd])) {
          received.erase(fd);
          close(fd);
        }
      }
    }
  }

  static void watch(int epoll, int fd) {
    epoll_event event{.events = EPOLLIN, .data = {.fd = fd}};
    epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
  }

  // False when the connection is to be closed.
  bool read_from(int fd, std::string& bytes) {
    char buffer[65536];
    const ssize_t count = recv(fd, buffer, sizeof buffer, MSG_DONTWAIT);
    if (count <= 0) return count < 0 && errno == EAGAIN;
    bytes.append(buffer, static_cast<std::size_t>(count));
    Frame frame;
    while (proto::frame_status(bytes, frame.header) == proto::FrameStatus::kComplete) {
      frame.bytes = bytes.substr(0, frame.header.frame_size());
      bytes.erase(0, frame.bytes.size());
      if (!answer(fd, frame)) return false;
    }
    return true;
  }

  bool answer(int fd, const Frame& frame) {
    if (frame.as<proto::Hello>()) {
      return send_message(fd, proto::Welcome{.version = proto::kVersion}, frame, false);
    }
    const auto query = frame.as<proto::Query>();
    if (!query) return false;
    const std::string block = claims_block(user_of(query->token));
    return send_message(fd, valid_answer(block), frame, true);
  }

  template <class Message>
  bool send_message(int fd, const Message& message, const Frame& to, bool may_change) {
    std::string bytes(proto::kMaxFrame, '\0');
    bytes.resize(proto::encode(message, to.header.request_id, bytes.data(), bytes.size()));
    if (may_change && change_) change_(bytes, answers_++);
    return send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(bytes.size());
  }

  Change change_;
  unsigned answers_ = 0;
  int listener_ = -1;
  pid_t child_ = -1;
};

// True if the answer names the user of the token.
inline bool is_answered_correctly(const Client& client, const std::string& token,
                                  const QueryOptions& options = {}) {
  const Answer answer = client.query(token, options);
  return answer.valid() && answer.claims().id() == user_of(token);
}

}  // namespace claimsd::testing

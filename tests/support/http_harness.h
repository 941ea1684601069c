// http_harness.h: a real http::Server on a loop with its own thread, and a client that sends
// arbitrary bytes.
#pragma once

#include <functional>
#include <future>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>

#include "daemon/base/fd.h"
#include "daemon/loop/async.h"
#include "daemon/loop/loop.h"
#include "daemon/loop/unix_socket.h"

namespace claimsd::testing {

// Runs a loop on a thread. `start` runs there and creates what the loop is for. The object it
// returns is destroyed there, before the loop.
class LoopThread {
 public:
  using Start = std::function<std::shared_ptr<void>(loop::Loop&)>;
  explicit LoopThread(Start start);
  ~LoopThread();
  LoopThread(const LoopThread&) = delete;
  LoopThread& operator=(const LoopThread&) = delete;

  // CPU time that the thread has used so far.
  Duration cpu_time();

 private:
  void main(const Start& start, std::promise<void> ready);

  loop::Async* stop_ = nullptr;  // on the thread's stack while it runs
  std::thread thread_;
};

// A socket bound at `path`, with a server on it; `create` makes that from the loop and the socket.
template <class Create>
LoopThread::Start serve_with(std::string path, Create create) {
  return [path = std::move(path), create](loop::Loop& loop) -> std::shared_ptr<void> {
    auto bound = loop::listen_on_unix_path({.path = path});
    if (!bound) throw std::runtime_error(bound.error().message);
    auto server = create(loop, std::move(bound->fd));
    if (!server) throw std::runtime_error(server.error().message);
    return std::move(*server);
  };
}

// One connection. A wait longer than 30 s fails the test.
class TestClient {
 public:
  explicit TestClient(const std::string& path);

  TestClient& send(std::string_view bytes);
  // One response: head and body according to Content-Length (no body for `head_only`). "" if the
  // server closed the connection first.
  std::string response();
  // All bytes until the server closes the connection.
  std::string rest();

  int fd() const { return fd_.get(); }

 private:
  bool receive();

  Fd fd_;
  std::string received_;
};

// Sends one request on a new connection and returns the whole response.
std::string ask(const std::string& path, std::string_view request);
std::string get(const std::string& path, std::string_view target);

int status_of(std::string_view response);
std::string_view body_of(std::string_view response);

}  // namespace claimsd::testing

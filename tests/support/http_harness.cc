#include "tests/support/http_harness.h"

#include <pthread.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <stdexcept>

#include "daemon/loop/unix_socket.h"

namespace claimsd::testing {
namespace {

[[noreturn]] void give_up(const std::string& what) {
  throw std::runtime_error(what);
}

}  // namespace

LoopThread::LoopThread(Start start) {
  ::signal(SIGPIPE, SIG_IGN);  // like the daemon's main()
  std::promise<void> ready;
  auto started = ready.get_future();
  thread_ = std::thread([this, start = std::move(start), ready = std::move(ready)]() mutable {
    main(start, std::move(ready));
  });
  started.get();
}

void LoopThread::main(const Start& start, std::promise<void> ready) {
  auto loop = std::move(*loop::Loop::create());
  auto stop = std::move(*loop::Async::create(*loop, [&] { loop->stop(); }));
  stop_ = &stop;
  const auto running = start(*loop);
  ready.set_value();
  loop->run();
}

LoopThread::~LoopThread() {
  stop_->notify();
  thread_.join();
}

Duration LoopThread::cpu_time() {
  clockid_t clock{};
  timespec time{};
  if (::pthread_getcpuclockid(thread_.native_handle(), &clock) != 0) give_up("no CPU clock");
  ::clock_gettime(clock, &time);
  return seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
}

TestClient::TestClient(const std::string& path) : fd_(::socket(AF_UNIX, SOCK_STREAM, 0)) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.data(), std::min(path.size(), sizeof address.sun_path - 1));
  const timeval limit{.tv_sec = 30, .tv_usec = 0};
  ::setsockopt(fd_.get(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  ::setsockopt(fd_.get(), SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
  if (::connect(fd_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    give_up("cannot connect to " + path);
  }
}

TestClient& TestClient::send(std::string_view bytes) {
  while (!bytes.empty()) {
    const auto sent = ::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) break;  // the server closed the connection: its response can still be read
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return *this;
}

bool TestClient::receive() {
  char buffer[4096];
  const auto got = ::recv(fd_.get(), buffer, sizeof buffer, 0);
  if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) give_up("no answer within 30 s");
  if (got <= 0) return false;
  received_.append(buffer, static_cast<std::size_t>(got));
  return true;
}

std::string TestClient::response() {
  std::size_t head = std::string::npos;
  while ((head = received_.find("\r\n\r\n")) == std::string::npos) {
    if (!receive()) return "";
  }
  std::size_t size = head + 4;
  const auto length = received_.find("Content-Length: ");
  if (length != std::string::npos) {
    size += std::strtoul(received_.c_str() + length + 16, nullptr, 10);
  }
  while (received_.size() < size) {
    if (!receive()) return "";
  }
  auto whole = received_.substr(0, size);
  received_.erase(0, size);
  return whole;
}

std::string TestClient::rest() {
  while (receive()) {
  }
  return std::exchange(received_, "");
}

std::string ask(const std::string& path, std::string_view request) {
  TestClient client(path);
  return client.send(request).response();
}

std::string get(const std::string& path, std::string_view target) {
  return ask(path, "GET " + std::string(target) + " HTTP/1.1\r\nHost: localhost\r\n\r\n");
}

int status_of(std::string_view response) {
  if (response.substr(0, 9) != "HTTP/1.1 ") return 0;
  return std::atoi(std::string(response.substr(9, 3)).c_str());
}

std::string_view body_of(std::string_view response) {
  const auto head = response.find("\r\n\r\n");
  return head == std::string_view::npos ? "" : response.substr(head + 4);
}

}  // namespace claimsd::testing

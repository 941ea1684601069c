#include "tests/admin/admin_harness.h"

#include <pthread.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <stdexcept>

#include "daemon/loop/unix_socket.h"

namespace claimsd::admin {
namespace {

[[noreturn]] void give_up(const std::string& what) {
  throw std::runtime_error(what);
}

}  // namespace

TempDir::TempDir() {
  path_ = (std::filesystem::temp_directory_path() / "claimsd-admin-XXXXXX").string();
  if (::mkdtemp(path_.data()) == nullptr) give_up("mkdtemp failed");
}

TempDir::~TempDir() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

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

LoopThread::Start serve(std::string path, HttpHandler handler, HttpLimits limits) {
  return [=](loop::Loop& loop) -> std::shared_ptr<void> {
    auto bound = loop::listen_on_unix_path({.path = path});
    if (!bound) give_up(bound.error().message);
    auto server = HttpServer::create(loop, std::move(bound->fd), handler, limits);
    if (!server) give_up(server.error().message);
    return std::move(*server);
  };
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

DaemonStatus sample_status() {
  DaemonStatus status;
  status.version = "0.2.0";
  status.pid = 4711;
  status.started = WallTime(seconds(1'700'000'000));
  status.uptime = milliseconds(90'500);
  status.claims_socket = "/run/claimsd/claims.sock";
  status.config_file = "/etc/claimsd/claimsd.toml";
  status.connections = 12;
  status.max_connections = 1024;
  status.waiting = 3;
  status.in_flight = 2;
  status.pending = 5;
  status.entries = 812;
  status.max_entries = 100'000;
  status.negative_entries = 7;
  status.unwritten_entries = 3;
  status.leases.slots = 16'384;
  status.leases.used = 42;
  status.leases.epoch = 6;
  status.revocations = 9;
  status.max_revocations = 50'000;
  UpstreamStatus upstream;
  upstream.name = "main";
  upstream.url = "https://auth.example.com";
  upstream.is_default = true;
  upstream.requests = 900;
  upstream.failures = 4;
  upstream.last_latency = milliseconds(12);
  upstream.certificates.client_end = WallTime(seconds(1'800'000'000));
  upstream.documents.role_claims = {{.name = "role"}};
  status.upstreams = {upstream};
  status.audit.log.state = audit::State::kWritable;
  status.audit.log.sequence = 5012;
  status.audit.log.bytes = 1 << 20;
  status.audit.log.segments = 2;
  status.audit.directory = "/var/lib/claimsd/audit";
  status.audit.level = "failures";
  status.audit.waiting = 8;
  status.audit.max_waiting = 65'536;
  std::uint64_t next = 101;
#define CLAIMSD_COUNTER_FILL(name, help) status.counters.name = next++;
  CLAIMSD_COUNTERS(CLAIMSD_COUNTER_FILL)
#undef CLAIMSD_COUNTER_FILL
#define CLAIMSD_COUNTER_FILL(name, help) status.leases.counters.name = next++;
  CLAIMSD_LEASE_COUNTERS(CLAIMSD_COUNTER_FILL)
#undef CLAIMSD_COUNTER_FILL
#define CLAIMSD_COUNTER_FILL(name, help) status.server_counters.name = next++;
  CLAIMSD_SERVER_COUNTERS(CLAIMSD_COUNTER_FILL)
#undef CLAIMSD_COUNTER_FILL
#define CLAIMSD_COUNTER_FILL(name, help) status.http.counters.name = next++;
  CLAIMSD_FRONT_DOOR_COUNTERS(CLAIMSD_COUNTER_FILL)
#undef CLAIMSD_COUNTER_FILL
#define CLAIMSD_COUNTER_FILL(name, help) status.audit.log.counters.name = next++;
  CLAIMSD_AUDIT_COUNTERS(CLAIMSD_COUNTER_FILL)
#undef CLAIMSD_COUNTER_FILL
  return status;
}

}  // namespace claimsd::admin

#include "tests/bench/claimsd_daemon.h"

#include <fmt/core.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <utility>

#include "client/include/claimsd.h"
#include "tests/bench/socket.h"
#include "tests/bench/workload.h"

namespace claimsd::bench {
namespace {

constexpr std::string_view kConfiguration = R"([daemon]
socket = "{0}/claims.sock"
admin_socket = "{0}/admin.sock"
shared_memory = {2}

[cache]
directory = "{0}/claims-cache"
key_file = "{0}/host.key"
max_ttl = "300s"
{3}

[revocations]
directory = "{0}/revocations"

[audit]
directory = "{4}"

[log]
level = "warning"

[upstream.stub]
url = "{1}"
ca_file = "{5}"
)";

// Token numbers: the ranges for hits, misses and filled entries never overlap.
constexpr std::uint64_t kFirstMiss = 1u << 20;
constexpr std::uint64_t kFirstFilled = 1u << 30;

struct CloseHandle {
  void operator()(::claimsd_handle* handle) const { ::claimsd_close(handle); }
};
using Handle = std::unique_ptr<::claimsd_handle, CloseHandle>;

// The socket on which the daemon sends READY=1 (sd_notify(3)).
Result<Fd> notify_socket(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path)
    return failure(fmt::format("socket path {} is too long", path));
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  Fd fd(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!fd || ::bind(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
    return failure(fmt::format("cannot listen on {}: {}", path, std::strerror(errno)));
  }
  return fd;
}

// The daemon may send other messages before READY=1, such as FDSTORE=1.
Status wait_ready(const Process& daemon, const Fd& notifications) {
  for (;;) {
    TRY(daemon.wait_readable(notifications.get(), std::chrono::seconds(10)));
    std::array<char, 512> message;
    const std::size_t size = TRY(receive_some(notifications.get(), message.data(), message.size()));
    if (std::string_view(message.data(), size).starts_with("READY=1")) return {};
  }
}

class Client : public Contender {
 public:
  Client(std::string name, Handle handle, std::vector<pid_t> servers, claimsd_source expected)
      : name_(std::move(name)),
        handle_(std::move(handle)),
        servers_(std::move(servers)),
        expected_(expected) {}

  std::string name() const override { return name_; }
  std::vector<pid_t> servers() const override { return servers_; }

  // Everything that a worker does per request: query, read, free.
  Status query() override {
    claimsd_query_request query = CLAIMSD_QUERY_REQUEST_INIT;
    query.token = token_.data();
    query.token_size = token_.size();
    claimsd_answer* answer = nullptr;
    result_ = ::claimsd_query(handle_.get(), &query, &answer);
    source_ = ::claimsd_answer_source(answer);
    if (result_ != CLAIMSD_VALID) reason_ = answer == nullptr ? "" : ::claimsd_answer_text(answer);
    ::claimsd_answer_free(answer);
    return {};
  }

  Status check() override {
    if (result_ != CLAIMSD_VALID) {
      return failure(fmt::format("{} ({})", ::claimsd_result_text(result_), reason_));
    }
    if (source_ == expected_) return {};
    return failure(fmt::format("answered from \"{}\" instead of \"{}\", which is measured",
                               ::claimsd_source_text(source_), ::claimsd_source_text(expected_)));
  }

 protected:
  void take_token(std::uint64_t number) { token_ = make_token(number); }

 private:
  std::string name_;
  Handle handle_;
  std::vector<pid_t> servers_;
  claimsd_source expected_;
  std::string token_;
  claimsd_result result_ = CLAIMSD_UNAVAILABLE;
  claimsd_source source_ = CLAIMSD_SOURCE_NONE;
  std::string reason_;
};

// A new token each round, because entries live at most five minutes.
class Hit final : public Client {
 public:
  using Client::Client;
  Status begin_round() override {
    take_token(++number_);
    return query();
  }

 private:
  std::uint64_t number_ = 0;
};

// A batch per call, because one lookup is shorter than reading the clock twice. Leases last
// seconds, so occasionally one is renewed over the socket; that is part of the cost of a hit.
class Fast final : public Contender {
 public:
  Fast(std::string name, Handle handle, pid_t server, claimsd_source expected)
      : name_(std::move(name)),
        handle_(std::move(handle)),
        server_(server),
        expected_(expected),
        token_(make_token(kFastToken)) {}

  std::string name() const override { return name_; }
  std::vector<pid_t> servers() const override { return {server_}; }
  int answers_per_ask() const override { return kBatch; }

  Status begin_round() override {
    for (int i = 0; i < kMaxWarming && look_up() != expected_; ++i) ::usleep(1000);
    asked_ = expected_ones_ = 0;
    return look_up() == expected_ ? Status() : not_measured();
  }
  Status query() override {
    for (int i = 0; i < kBatch; ++i) expected_ones_ += look_up() == expected_ ? 1 : 0;
    asked_ += kBatch;
    return {};
  }
  Status check() override {
    constexpr int kRenewals = 3;
    return asked_ - expected_ones_ <= kRenewals + asked_ / 1000 ? Status() : not_measured();
  }

 private:
  static constexpr int kBatch = 32;
  static constexpr int kMaxWarming = 1000;
  static constexpr std::uint64_t kFastToken = 1u << 19;

  claimsd_source look_up() {
    claimsd_query_request query = CLAIMSD_QUERY_REQUEST_INIT;
    query.token = token_.data();
    query.token_size = token_.size();
    claimsd_answer* answer = nullptr;
    const claimsd_result result = ::claimsd_query(handle_.get(), &query, &answer);
    const claimsd_source source =
        result == CLAIMSD_VALID ? ::claimsd_answer_source(answer) : CLAIMSD_SOURCE_NONE;
    ::claimsd_answer_free(answer);
    return source;
  }
  Status not_measured() {
    claimsd_statistics seen = CLAIMSD_STATISTICS_INIT;
    ::claimsd_read_statistics(handle_.get(), &seen);
    return failure(fmt::format("only {} of {} answers came from \"{}\"; map: {}", expected_ones_,
                               asked_, ::claimsd_source_text(expected_), seen.map_text));
  }

  std::string name_;
  Handle handle_;
  pid_t server_;
  claimsd_source expected_;
  std::string token_;
  int asked_ = 0;
  int expected_ones_ = 0;
};

class Miss final : public Client {
 public:
  using Client::Client;
  Status prepare() override {
    take_token(++number_);
    return {};
  }

 private:
  std::uint64_t number_ = kFirstMiss;
};

// Picks tokens at random. For the lease map, all their leases are published first.
class Among final : public Client {
 public:
  Among(std::string name, Handle handle, pid_t server, claimsd_source expected,
        std::uint64_t tokens)
      : Client(std::move(name), std::move(handle), {server}, expected),
        expected_(expected),
        tokens_(tokens) {}

  Status begin_round() override {
    if (expected_ != CLAIMSD_SOURCE_SHARED) return {};
    for (std::uint64_t i = 0; i < tokens_; ++i) {
      take_token(kFirstFilled + i);
      TRY(query());
    }
    return {};
  }
  Status prepare() override {
    state_ = state_ * 6364136223846793005u + 1442695040888963407u;  // Knuth's MMIX
    take_token(kFirstFilled + (state_ >> 33) % tokens_);
    return {};
  }
  // Tolerates some answers from the daemon: a few sets of the map have more tokens than slots.
  Status check() override {
    ++asked_;
    if (const Status right = Client::check(); !right && ++others_ > 10 + asked_ / 20) return right;
    return {};
  }

 private:
  claimsd_source expected_;
  std::uint64_t tokens_;
  std::uint64_t state_ = 1;
  std::uint64_t asked_ = 0;
  std::uint64_t others_ = 0;
};

struct CloseStream {
  void operator()(::claimsd_stream* stream) const { ::claimsd_stream_close(stream); }
};

// Receives every available answer; fails if one is not valid.
Status take_answers(::claimsd_stream* stream) {
  pollfd waiting{.fd = ::claimsd_stream_fd(stream), .events = POLLIN, .revents = 0};
  ::poll(&waiting, 1, -1);
  for (;;) {
    std::uint64_t tag = 0;
    claimsd_answer* answer = nullptr;
    const claimsd_result result = ::claimsd_stream_receive(stream, &tag, &answer);
    if (result == CLAIMSD_AGAIN) return {};
    const std::string why = ::claimsd_answer_text(answer);
    ::claimsd_answer_free(answer);
    if (result != CLAIMSD_VALID) return failure("cannot fill the cache: " + why);
  }
}

Result<Handle> open_handle(const std::string& socket, std::uint32_t flags = 0) {
  claimsd_options options = CLAIMSD_OPTIONS_INIT;
  options.socket_path = socket.c_str();
  options.client_name = "claimsd_bench";
  options.flags = flags;
  ::claimsd_handle* handle = nullptr;
  const claimsd_result result = ::claimsd_open(&options, &handle, nullptr);
  if (result != CLAIMSD_OK) {
    return failure(
        fmt::format("cannot open a handle for {}: {}", socket, ::claimsd_result_text(result)));
  }
  return Handle(handle);
}

}  // namespace

Result<Daemon> Daemon::start(const std::string& program, const Scratch& scratch,
                             const HttpStub& upstream, SharedMemory shared_memory,
                             std::string_view cache_options, const Scratch* audit_disk) {
  if (!std::filesystem::exists(program)) {
    return failure(fmt::format(
        "there is no daemon at {}: build it with ./dev bench, or name one with --daemon", program));
  }
  const std::string audit = (audit_disk != nullptr ? *audit_disk : scratch).path("audit");
  const std::string trusted = TRY(trusted_file(scratch, upstream));
  const std::string configuration = TRY(scratch.write(
      "claimsd.toml",
      fmt::format(kConfiguration, scratch.path("."), upstream.url(),
                  shared_memory == SharedMemory::kOn, cache_options, audit, trusted)));
  const std::string ready_path = scratch.path("ready.sock");
  const Fd ready = TRY(notify_socket(ready_path));
  auto process = TRY(Process::start(
      {std::filesystem::absolute(program).string(), "--config", configuration},
      {.log_path = scratch.path("claimsd.log"), .environment = {"NOTIFY_SOCKET=" + ready_path}}));
  TRY(wait_ready(process, ready));
  ::unlink(ready_path.c_str());
  return Daemon(std::move(process), scratch.path("./claims.sock"));
}

Result<ContenderPtr> Daemon::hit(std::string name) const {
  Handle handle = TRY(open_handle(socket_));
  return std::make_unique<Hit>(std::move(name), std::move(handle), std::vector{pid()},
                               CLAIMSD_SOURCE_CACHE);
}

Result<ContenderPtr> Daemon::fast_hit(std::string name, FastHit which) const {
  const bool local = which == FastHit::kLocal;
  Handle handle = TRY(open_handle(socket_, local ? 0 : CLAIMSD_NO_LOCAL_TABLE));
  return std::make_unique<Fast>(std::move(name), std::move(handle), pid(),
                                local ? CLAIMSD_SOURCE_LOCAL : CLAIMSD_SOURCE_SHARED);
}

Status Daemon::fill(std::uint64_t tokens) const {
  constexpr std::size_t kWindow = 1000;
  const Handle handle = TRY(open_handle(socket_, CLAIMSD_SOCKET_ONLY));
  ::claimsd_stream* raw = nullptr;
  if (::claimsd_stream_open(handle.get(), &raw) != CLAIMSD_OK)
    return failure("cannot fill the cache: cannot open a stream");
  const std::unique_ptr<::claimsd_stream, CloseStream> stream(raw);
  for (std::uint64_t i = 0; i < tokens; ++i) {
    const std::string token = make_token(kFirstFilled + i);
    claimsd_query_request query = CLAIMSD_QUERY_REQUEST_INIT;
    query.token = token.data();
    query.token_size = token.size();
    query.timeout_ms = 30'000;
    if (::claimsd_stream_send(stream.get(), &query, i) != CLAIMSD_OK)
      return failure("cannot fill the cache: cannot send");
    while (::claimsd_stream_pending(stream.get()) >= kWindow) TRY(take_answers(stream.get()));
  }
  while (::claimsd_stream_pending(stream.get()) > 0) TRY(take_answers(stream.get()));
  return {};
}

Result<ContenderPtr> Daemon::hit_among(std::string name, std::uint64_t tokens) const {
  Handle handle = TRY(open_handle(socket_, CLAIMSD_SOCKET_ONLY));
  return std::make_unique<Among>(std::move(name), std::move(handle), pid(), CLAIMSD_SOURCE_CACHE,
                                 tokens);
}

Result<ContenderPtr> Daemon::fast_hit_among(std::string name, std::uint64_t tokens) const {
  Handle handle = TRY(open_handle(socket_, CLAIMSD_NO_LOCAL_TABLE));
  return std::make_unique<Among>(std::move(name), std::move(handle), pid(), CLAIMSD_SOURCE_SHARED,
                                 tokens);
}

Result<ContenderPtr> Daemon::miss(std::string name, pid_t upstream) const {
  Handle handle = TRY(open_handle(socket_));
  return std::make_unique<Miss>(std::move(name), std::move(handle), std::vector{pid(), upstream},
                                CLAIMSD_SOURCE_UPSTREAM);
}

}  // namespace claimsd::bench

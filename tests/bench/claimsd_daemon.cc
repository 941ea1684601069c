#include "tests/bench/claimsd_daemon.h"

#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

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
fast_path = false

[cache]
directory = "{0}/claims-cache"
key_file = "{0}/host.key"
max_ttl = "300s"

[revocations]
directory = "{0}/revocations"

[log]
level = "warning"

[upstream.stub]
url = "http://127.0.0.1:{1}"
)";

// Numbers of tokens: those that are to be hit, and those that are new each time, never meet.
constexpr std::uint64_t kFirstMiss = 1u << 20;

struct CloseHandle {
  void operator()(::claimsd_handle* handle) const { ::claimsd_close(handle); }
};
using Handle = std::unique_ptr<::claimsd_handle, CloseHandle>;

// Where the daemon says READY=1 (sd_notify(3)).
Result<Fd> notify_socket(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path)
    return failure(fmt::format("socket path {} is too long", path));
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  Fd fd(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!fd || ::bind(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
    return failure(fmt::format("listening on {}: {}", path, std::strerror(errno)));
  }
  return fd;
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

  // All that a worker does for a request: ask, look, let go.
  Status ask() override {
    claimsd_question question = CLAIMSD_QUESTION_INIT;
    question.token = token_.data();
    question.token_size = token_.size();
    claimsd_answer* answer = nullptr;
    result_ = ::claimsd_query(handle_.get(), &question, &answer);
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
    return failure(fmt::format("answered by \"{}\" where \"{}\" is measured",
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

// A token a round, since none lives for longer than five minutes.
class Hit final : public Client {
 public:
  using Client::Client;
  Status begin_round() override {
    take_token(++number_);
    return ask();
  }

 private:
  std::uint64_t number_ = 0;
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

Result<Handle> open_handle(const std::string& socket) {
  claimsd_options options = CLAIMSD_OPTIONS_INIT;
  options.socket_path = socket.c_str();
  options.client_name = "claimsd_bench";
  ::claimsd_handle* handle = nullptr;
  const claimsd_result result = ::claimsd_open(&options, &handle);
  if (result != CLAIMSD_OK) {
    return failure(
        fmt::format("opening a handle for {}: {}", socket, ::claimsd_result_text(result)));
  }
  return Handle(handle);
}

}  // namespace

Result<Daemon> Daemon::start(const std::string& program, const Scratch& scratch,
                             std::uint16_t upstream_port) {
  if (!std::filesystem::exists(program)) {
    return failure(
        fmt::format("no daemon at {}: `./dev bench` builds it, --daemon names another", program));
  }
  const std::string configuration = TRY(
      scratch.write("claimsd.toml", fmt::format(kConfiguration, scratch.path("."), upstream_port)));
  const std::string ready_path = scratch.path("ready.sock");
  const Fd ready = TRY(notify_socket(ready_path));
  auto process = TRY(Process::start(
      {std::filesystem::absolute(program).string(), "--config", configuration},
      {.log_path = scratch.path("claimsd.log"), .environment = {"NOTIFY_SOCKET=" + ready_path}}));
  TRY(process.wait_readable(ready.get(), std::chrono::seconds(10)));
  ::unlink(ready_path.c_str());
  return Daemon(std::move(process), scratch.path("./claims.sock"));
}

Result<ContenderPtr> Daemon::hit(std::string name) const {
  return std::make_unique<Hit>(std::move(name), TRY(open_handle(socket_)), std::vector{pid()},
                               CLAIMSD_SOURCE_CACHE);
}

Result<ContenderPtr> Daemon::miss(std::string name, pid_t upstream) const {
  return std::make_unique<Miss>(std::move(name), TRY(open_handle(socket_)),
                                std::vector{pid(), upstream}, CLAIMSD_SOURCE_UPSTREAM);
}

}  // namespace claimsd::bench

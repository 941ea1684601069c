#include <fmt/core.h>
#include <unistd.h>

#include <array>
#include <utility>

#include "tests/bench/peers.h"
#include "tests/bench/socket.h"
#include "tests/bench/workload.h"

namespace claimsd::bench {
namespace {

// memcached's text protocol (doc/protocol.txt in its source), as fast as the binary one for one
// key.
class Memcached final : public Contender {
 public:
  Memcached(Process server, Fd fd) : server_(std::move(server)), fd_(std::move(fd)) {}

  std::string name() const override { return "memcached"; }
  std::vector<pid_t> servers() const override { return {server_.pid()}; }
  Status fill() {
    TRY(send_all(fd_.get(),
                 fmt::format("set {} 0 0 {}\r\n{}\r\n", cache_key(), kClaimsSize, claims_json())));
    TRY(receive_until("\r\n"));
    if (!answer().starts_with("STORED")) return failure("set was rejected");
    return {};
  }
  Status ask() override {
    TRY(send_all(fd_.get(), get_));
    return receive_until("END\r\n");
  }
  Status check() override {
    if (answer() != found_) return failure("get found no claims");
    return {};
  }

 private:
  std::string_view answer() const { return {buffer_.data(), have_}; }
  Status receive_until(std::string_view end) {
    have_ = 0;
    do {
      have_ += TRY(receive_some(fd_.get(), buffer_.data() + have_, buffer_.size() - have_));
    } while (!answer().ends_with(end));
    return {};
  }

  Process server_;
  Fd fd_;
  std::array<char, 4096> buffer_{};
  std::size_t have_ = 0;
  const std::string get_ = fmt::format("get {}\r\n", cache_key());
  const std::string found_ =
      fmt::format("VALUE {} 0 {}\r\n{}\r\nEND\r\n", cache_key(), kClaimsSize, claims_json());
};

}  // namespace

Result<ContenderPtr> start_memcached(const Scratch& scratch) {
  const std::string socket = scratch.path("memcached.sock");
  std::vector<std::string> argv{"memcached", "-s", socket, "-a", "0700", "-t", "1", "-m", "64"};
  if (::geteuid() == 0)
    argv.insert(argv.end(), {"-u", "root"});  // otherwise it refuses to run as root
  auto server =
      TRY(Process::start(argv, {.log_path = scratch.path("memcached.log"), .environment = {}}));
  TRY(server.wait_listening(socket, std::chrono::seconds(5)));
  Fd fd = TRY(connect_unix(socket));
  auto memcached = std::make_unique<Memcached>(std::move(server), std::move(fd));
  TRY(memcached->fill());
  return memcached;
}

}  // namespace claimsd::bench

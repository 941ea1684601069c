#include "tests/bench/flooder.h"

#include <fmt/core.h>
#include <sched.h>
#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <random>
#include <utility>
#include <vector>

#include "proto/codec.h"
#include "tests/bench/regime.h"
#include "tests/bench/socket.h"

namespace claimsd::bench {
namespace {

constexpr std::size_t kConnections = 4;
constexpr std::size_t kBatch = 64;
constexpr unsigned kGlance = 100;  // microseconds between two polls of the shared state

template <class Message>
void append(std::string& out, const Message& message) {
  std::array<char, proto::kMaxFrame> frame;
  out.append(frame.data(), proto::encode(message, 1, frame.data(), frame.size()));
}

// Reads `wanted` frames and ignores their contents; `left` keeps bytes of later frames.
Status receive_frames(int fd, std::size_t wanted, std::string& left) {
  std::array<char, 64 * 1024> buffer;
  for (;;) {
    proto::FrameHeader header;
    std::string_view rest = left;
    while (wanted > 0 && proto::frame_status(rest, header) == proto::FrameStatus::kComplete) {
      rest.remove_prefix(header.frame_size());
      --wanted;
    }
    left.erase(0, left.size() - rest.size());
    if (wanted == 0) return {};
    const std::size_t got = TRY(receive_some(fd, buffer.data(), buffer.size()));
    left.append(buffer.data(), got);
  }
}

}  // namespace

// Runs in the child.
class Flooder::Attack {
 public:
  static Result<Attack> prepare(const std::string& socket) {
    Attack attack;
    std::string hello;
    append(hello, proto::Hello{.version_min = proto::kVersion, .version_max = proto::kVersion});
    for (Line& line : attack.lines_) {
      line.fd = TRY(connect_unix(socket));
      TRY(send_all(line.fd.get(), hello));
      TRY(receive_frames(line.fd.get(), 1, line.left));
    }
    return attack;
  }

  // Sends on all connections at once.
  Status wave() {
    for (Line& line : lines_) {
      questions_.clear();
      for (std::size_t i = 0; i < kBatch; ++i) {
        const std::string token = fmt::format("junk-{}{}", random_(), random_());
        append(questions_,
               proto::Query{.timeout_ms = 5000, .max_age_ms = proto::kAnyAge, .token = token});
      }
      TRY(send_all(line.fd.get(), questions_));
    }
    for (Line& line : lines_) TRY(receive_frames(line.fd.get(), kBatch, line.left));
    return {};
  }

 private:
  struct Line {
    Fd fd;
    std::string left;
  };
  std::array<Line, kConnections> lines_;
  std::string questions_;
  std::mt19937_64 random_{std::random_device{}()};
};

void Flooder::Unmap::operator()(Shared* shared) const {
  ::munmap(shared, sizeof *shared);
}

Result<Flooder> Flooder::start(const std::string& socket, int core) {
  void* const memory =
      ::mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED)
    return failure(fmt::format("cannot map a shared page: {}", std::strerror(errno)));
  std::unique_ptr<Shared, Unmap> shared(std::construct_at(static_cast<Shared*>(memory)));
  auto attack = TRY(Attack::prepare(socket));
  Process process = TRY(Process::fork_off("flooder", [&] {
    const sched_param lowest{};
    if (!pin_to(core) || ::sched_setscheduler(0, SCHED_IDLE, &lowest) != 0) return 1;
    for (;;) {
      if (!shared->wanted) {
        shared->floods = false;
        continue;
      }
      if (!attack.wave()) return 1;
      shared->answered += kConnections * kBatch;
      shared->floods = true;
    }
  }));
  return Flooder(std::move(shared), std::move(process));
}

void Flooder::begin() const {
  shared_->wanted = true;
  while (!shared_->floods) ::usleep(kGlance);
}

void Flooder::pause() const {
  shared_->wanted = false;
  while (shared_->floods) ::usleep(kGlance);
}

}  // namespace claimsd::bench

#include "tests/bench/echo_client.h"

#include <utility>

#include "tests/bench/socket.h"

namespace claimsd::bench {
namespace {

class EchoClient final : public Contender {
 public:
  EchoClient(std::string name, Process server, Fd fd, const FrameSizes& sizes)
      : name_(std::move(name)),
        server_(std::move(server)),
        fd_(std::move(fd)),
        question_(sizes.question, 'q'),
        answer_(sizes.answer) {}

  std::string name() const override { return name_; }
  std::vector<pid_t> servers() const override { return {server_.pid()}; }
  Status prepare() override {
    answer_.back() = 0;
    return {};
  }
  Status ask() override {
    TRY(send_all(fd_.get(), question_));
    return receive_exactly(fd_.get(), answer_.data(), answer_.size());
  }
  Status check() override {
    if (answer_.back() != kEchoFiller) return failure("the answer is not the expected one");
    return {};
  }

 private:
  std::string name_;
  Process server_;
  Fd fd_;
  std::string question_;
  std::vector<char> answer_;
};

}  // namespace

Result<ContenderPtr> start_echo(std::string name, const EchoServer& server) {
  const FrameSizes sizes = frame_sizes();
  SocketPair pair = TRY(socket_pair());
  auto process = TRY(Process::fork_off(name, [&] {
    pair.ours.reset();
    return server(std::move(pair.theirs), sizes);
  }));
  return std::make_unique<EchoClient>(std::move(name), std::move(process), std::move(pair.ours),
                                      sizes);
}

}  // namespace claimsd::bench

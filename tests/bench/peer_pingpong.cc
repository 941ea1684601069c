#include "tests/bench/echo_client.h"
#include "tests/bench/socket.h"

namespace claimsd::bench {
namespace {

int serve(Fd connection, const FrameSizes& sizes) {
  std::vector<char> question(sizes.question);
  const std::string answer(sizes.answer, kEchoFiller);
  while (receive_exactly(connection.get(), question.data(), question.size()) &&
         send_all(connection.get(), answer)) {
  }
  return 0;
}

}  // namespace

Result<ContenderPtr> start_pingpong() {
  return start_echo("pingpong", serve);
}

}  // namespace claimsd::bench

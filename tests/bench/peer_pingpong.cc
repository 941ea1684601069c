#include "tests/bench/echo_client.h"
#include "tests/bench/socket.h"

namespace claimsd::bench {
namespace {

int serve(Fd connection, const FrameSizes& sizes) {
  std::vector<char> query(sizes.query);
  const std::string answer(sizes.answer, kEchoFiller);
  while (receive_exactly(connection.get(), query.data(), query.size()) &&
         send_all(connection.get(), answer)) {
  }
  return 0;
}

}  // namespace

Result<ContenderPtr> start_pingpong() {
  return start_echo("pingpong", serve);
}

}  // namespace claimsd::bench

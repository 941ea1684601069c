// echo_client.h: the client of the two floors: sends the bytes of our question, waits for the bytes
// of our answer.
#pragma once

#include <functional>

#include "tests/bench/peers.h"
#include "tests/bench/workload.h"

namespace claimsd::bench {

// The server's side of one connection, in its own process, until the other side hangs up.
using EchoServer = std::function<int(Fd connection, const FrameSizes& sizes)>;

// What the server fills its answers with.
inline constexpr char kEchoFiller = 'a';

Result<ContenderPtr> start_echo(std::string name, const EchoServer& server);

}  // namespace claimsd::bench

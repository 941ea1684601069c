// echo_client.h: the client of the two echo floors: sends as many bytes as a query and waits for as
// many as an answer.
#pragma once

#include <functional>

#include "tests/bench/peers.h"
#include "tests/bench/workload.h"

namespace claimsd::bench {

// The server's side of one connection, in its own process, until the client hangs up.
using EchoServer = std::function<int(Fd connection, const FrameSizes& sizes)>;

// The byte that fills answers.
inline constexpr char kEchoFiller = 'a';

Result<ContenderPtr> start_echo(std::string name, const EchoServer& server);

}  // namespace claimsd::bench

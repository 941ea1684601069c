// stream_helpers.h: what an event loop does with a stream.
#pragma once

#include <poll.h>

#include <stdexcept>

#include "tests/client/host.h"

namespace claimsd::testing {

// Waits on the descriptor alone, as an event loop does: a stream that forgets to make it readable
// fails here.
inline Stream::Completed receive_one(Stream& stream) {
  for (;;) {
    if (auto completed = stream.receive()) return std::move(*completed);
    pollfd readable{.fd = stream.fd(), .events = POLLIN, .revents = 0};
    if (poll(&readable, 1, 30'000) != 1) throw std::runtime_error("the stream stays unreadable");
  }
}

inline std::vector<Stream::Completed> receive_all(Stream& stream) {
  std::vector<Stream::Completed> all;
  while (stream.pending() > 0) all.push_back(receive_one(stream));
  return all;
}

}  // namespace claimsd::testing

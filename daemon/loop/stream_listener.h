// stream_listener.h: accepts connections on a Unix socket and passes them to its owner. Lifetime
// and threads: loop.h.
//
// Does not use uv_listen(): when descriptors run out, libuv accepts *all* waiting clients and
// closes them. This class keeps one reserve descriptor. When none is left, each client is accepted
// with the reserve and closed at once. The client gets an end of file instead of hanging, and the
// loop does not spin on a readable listener.
#pragma once

#include <functional>
#include <memory>

#include "daemon/base/fd.h"
#include "daemon/loop/loop.h"
#include "daemon/loop/unix_socket.h"

namespace claimsd::loop {

class StreamListener {
 public:
  struct Handlers {
    // A connection: non-blocking, close-on-exec. Make it a UnixStream, or drop it to refuse it.
    std::function<void(Fd)> on_connection;
    // accept4(2) failed: EMFILE or ENFILE after one client was refused, or another errno. May be
    // frequent: count it and rate-limit the log.
    std::function<void(int error)> on_error;
  };

  // Binds; removes the socket file when destroyed.
  static Result<StreamListener> listen(Loop& loop, const ListenOptions& options, Handlers handlers);
  // Takes over a listening socket. Its file belongs to the process that opened it and is not
  // removed.
  static Result<StreamListener> adopt(Loop& loop, Fd fd, Handlers handlers);
  // The same for a listening stream socket of any family, which the caller has checked.
  static Result<StreamListener> adopt_any(Loop& loop, Fd fd, Handlers handlers);

  // While paused, new clients wait in the kernel's backlog.
  void pause();
  Status resume();

 private:
  class Impl;
  struct Close {
    void operator()(Impl* impl) const;
  };
  using Handle = std::unique_ptr<Impl, Close>;
  explicit StreamListener(Handle impl);
  Handle impl_;
};

}  // namespace claimsd::loop

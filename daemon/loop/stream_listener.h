// stream_listener.h: accepts connections on a Unix socket and hands them to the loop's owner. Rules
// of lifetime and thread: loop.h.
//
// Accepting is done here, not by uv_listen(): libuv takes *all* waiting clients and closes them
// when descriptors run out. Here one reserve descriptor is kept; while there are none, each client
// is accepted with it and closed at once, so that it learns of it instead of hanging and the loop
// does not spin on a listener that stays readable.
#pragma once

#include <functional>
#include <memory>

#include "daemon/base/fd.h"
#include "daemon/loop/loop.h"
#include "daemon/loop/unix_socket.h"

namespace claimsd::daemon {

class StreamListener {
 public:
  struct Handlers {
    // A connection: non-blocking, close-on-exec. Make it a UnixStream, or drop it to refuse.
    std::function<void(Fd)> on_connection;
    // Nothing could be accepted: EMFILE or ENFILE after a client was turned away, or another errno
    // of accept4(2). Count, log sparingly.
    std::function<void(int error)> on_trouble;
  };

  // Binds; removes the socket file when destroyed.
  static Result<StreamListener> listen(Loop& loop, const ListenOptions& options, Handlers handlers);
  // Takes over a socket that is listening; its file is somebody else's and stays.
  static Result<StreamListener> adopt(Loop& loop, Fd fd, Handlers handlers);

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

}  // namespace claimsd::daemon

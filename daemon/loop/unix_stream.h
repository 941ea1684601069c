// unix_stream.h: a connected Unix stream socket: reads by callback, writes immediately or through a
// bounded queue. Lifetime and threads: loop.h.
//
// A query costs one read and one write. Reads use the loop's shared buffer, which is wiped after
// the callback because it may hold tokens. Writes are tried immediately, and only the part that the
// kernel did not accept is copied. Never raises SIGPIPE.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string_view>

#include "daemon/base/fd.h"
#include "daemon/loop/loop.h"
#include "daemon/loop/unix_socket.h"

namespace claimsd::loop {

enum class WriteStatus : std::uint8_t {
  kSent,       // the kernel has accepted all of it
  kQueued,     // the rest is queued; on_drained or on_end follows
  kOverLimit,  // the peer reads too slowly; part may have been sent, so close the stream
  kFailed,     // the peer is gone: close the stream
};

class UnixStream {
 public:
  struct Handlers {
    // Valid during the call only.
    std::function<void(std::string_view bytes)> on_data;
    // Called once: 0 when the peer closed its side, else a negative errno of a read or a queued
    // write. Nothing is read afterwards.
    std::function<void(int error)> on_end;
    // The write queue has become empty. May be unset.
    std::function<void()> on_drained;
  };

  // Takes a connected, non-blocking stream socket. Queues at most `queue_limit` bytes for a slow
  // reader.
  static Result<UnixStream> adopt(Loop& loop, Fd fd, std::size_t queue_limit, Handlers handlers);

  Status start_reading();
  void stop_reading();

  WriteStatus write(std::string_view bytes);
  // Sends bytes with a descriptor attached to the first one (SCM_RIGHTS, unix(7)); the descriptor
  // remains ours. False when nothing was sent: bytes are queued, the kernel accepts none now, or
  // the peer is gone. write() still works then, or returns the error.
  bool write_with_descriptor(std::string_view bytes, int descriptor);
  std::size_t queued_bytes() const;

  // Closes immediately: no handler is called again and queued bytes are dropped. `closed` runs
  // once, on the loop, in libuv's close callback. The destructor does the same without a callback.
  // Further calls do nothing (the first `closed` counts).
  void close(std::function<void()> closed = {});

  Result<PeerCredentials> credentials() const;
  // For sendmsg(2) with descriptors; -1 once closed. Use it only while queued_bytes() is 0,
  // otherwise the new bytes overtake the queued ones.
  int fd() const;

 private:
  struct Block;
  struct Close {
    void operator()(Block* block) const;
  };
  explicit UnixStream(std::unique_ptr<Block, Close> block);
  std::unique_ptr<Block, Close> block_;
};

}  // namespace claimsd::loop

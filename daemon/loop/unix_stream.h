// unix_stream.h: a connected Unix socket: bytes come in by callback, go out at once or by a bounded
// queue. Rules of lifetime and thread: loop.h.
//
// The path of a question costs one read and one write: reads land in the loop's one buffer, which
// is wiped after the callback since tokens come that way; writes are tried at once and only what
// the kernel did not take is copied.
//
// Never raises SIGPIPE.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string_view>

#include "daemon/base/fd.h"
#include "daemon/loop/loop.h"
#include "daemon/loop/unix_socket.h"

namespace claimsd::daemon {

enum class WriteStatus : std::uint8_t {
  kSent,       // all of it is with the kernel
  kQueued,     // the rest waits; on_drained follows, or on_end
  kOverLimit,  // the peer reads too slowly: part of it may have been sent, so the stream is of no
               // more use: close it
  kFailed,     // the peer has gone: close it
};

class UnixStream {
 public:
  struct Handlers {
    // Readable during the call only.
    std::function<void(std::string_view bytes)> on_data;
    // Once: 0 when the peer closed its side, else a negative errno of reading or of a queued write.
    // Nothing is read after it.
    std::function<void(int error)> on_end;
    // The queue of unsent bytes has become empty. May be left unset.
    std::function<void()> on_drained;
  };

  // Takes a connected, non-blocking stream socket. At most `queue_limit` bytes wait for a slow
  // reader.
  static Result<UnixStream> adopt(Loop& loop, Fd fd, std::size_t queue_limit, Handlers handlers);

  Status start_reading();
  void stop_reading();

  WriteStatus write(std::string_view bytes);
  // Sends bytes whose first one carries a descriptor (SCM_RIGHTS, unix(7)), which stays ours. False
  // when nothing was sent: something waits in the queue, the kernel takes nothing now, or the peer
  // has gone; write() still works, or tells.
  bool write_with_descriptor(std::string_view bytes, int descriptor);
  std::size_t queued_bytes() const;

  // Closes now; no handler is called any more; queued bytes are dropped. `closed` runs when libuv
  // has let go, once, on the loop. The destructor does the same without telling. Further calls do
  // nothing (`closed` of the first one counts).
  void close(std::function<void()> closed = {});

  Result<PeerCredentials> credentials() const;
  // For sendmsg(2) with descriptors; -1 once closed. Only while queued_bytes() is 0, or the bytes
  // would overtake.
  int fd() const;

 private:
  struct Block;
  struct Close {
    void operator()(Block* block) const;
  };
  explicit UnixStream(std::unique_ptr<Block, Close> block);
  std::unique_ptr<Block, Close> block_;
};

}  // namespace claimsd::daemon

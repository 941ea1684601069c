#include "daemon/loop/async.h"

#include <fmt/core.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include <uv.h>

#include "daemon/base/fd.h"
#include "daemon/loop/handle.h"

namespace claimsd::daemon {

// Uses an eventfd instead of uv_async_t. In libuv 1.44 the woken loop spins, then yields its time
// slice, until the sender has returned from its write. On a shared core the woken thread runs
// first, so each wake-up costs tens of microseconds, or a whole time slice of another process.
struct Async::Block {
  uv_poll_t handle{};
  Fd event;
  Callback callback;
};

void Async::Close::operator()(Block* block) const {
  close_and_delete(block);
}

Async::Async(std::unique_ptr<Block, Close> block) : block_(std::move(block)) {}

Result<Async> Async::create(Loop& loop, Callback callback) {
  auto block = std::make_unique<Block>();
  block->callback = std::move(callback);
  block->handle.data = block.get();
  block->event = Fd(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  const int error =
      block->event ? uv_poll_init(loop.raw(), &block->handle, block->event.get()) : UV_EMFILE;
  if (error != 0) {
    return failure(
        fmt::format("cannot create an event loop wakeup: {}; raise the limit on open files",
                    describe_uv(error)));
  }
  uv_poll_start(&block->handle, UV_READABLE, [](uv_poll_t* handle, int, int) {
    Block& self = *static_cast<Block*>(handle->data);
    eventfd_t count = 0;
    // Reset before the callback, so that a notify() during it wakes the loop again.
    if (::eventfd_read(self.event.get(), &count) == 0) self.callback();
  });
  return Async(std::unique_ptr<Block, Close>(block.release()));
}

void Async::notify() {
  ::eventfd_write(block_->event.get(), 1);
}

}  // namespace claimsd::daemon

#include "daemon/loop/poll.h"

#include <fmt/core.h>
#include <uv.h>

#include "daemon/loop/handle.h"

namespace claimsd::loop {

struct Poll::Block {
  uv_poll_t handle{};
  Callback callback;
  int fd = -1;
};

void Poll::Close::operator()(Block* block) const {
  close_and_delete(block);
}

Poll::Poll(std::unique_ptr<Block, Close> block) : block_(std::move(block)) {}

Result<Poll> Poll::create(Loop& loop, int fd, Callback callback) {
  auto block = std::make_unique<Block>();
  block->callback = std::move(callback);
  block->fd = fd;
  const int error = uv_poll_init(loop.raw(), &block->handle, fd);
  if (error != 0) {
    return failure(fmt::format("cannot watch descriptor {}: {}", fd, describe_uv(error)));
  }
  block->handle.data = block.get();
  return Poll(std::unique_ptr<Block, Close>(block.release()));
}

Status Poll::start(bool readable, bool writable) {
  return start((readable ? UV_READABLE : 0) | (writable ? UV_WRITABLE : 0));
}

// The kernel reports POLLHUP whatever is asked for. libuv passes it on as the event that was asked
// for, and a socket has no other cause to report that one.
Status Poll::watch_hang_up() {
  return start(UV_PRIORITIZED);
}

Status Poll::start(int events) {
  const int error =
      uv_poll_start(&block_->handle, events, [](uv_poll_t* handle, int status, int got) {
        static_cast<Block*>(handle->data)
            ->callback({.readable = (got & UV_READABLE) != 0,
                        .writable = (got & UV_WRITABLE) != 0,
                        .hung_up = (got & UV_PRIORITIZED) != 0,
                        .error = status});
      });
  if (error != 0) {
    return failure(fmt::format("cannot watch descriptor {}: {}", block_->fd, describe_uv(error)));
  }
  return {};
}

void Poll::stop() {
  uv_poll_stop(&block_->handle);
}

}  // namespace claimsd::loop

#include "daemon/loop/unix_stream.h"

#include <fmt/format.h>
#include <string.h>  // explicit_bzero(3)
#include <uv.h>

#include "daemon/base/secret.h"
#include "daemon/loop/handle.h"

namespace claimsd::daemon {

struct UnixStream::Block {
  uv_pipe_t handle{};
  Loop* loop = nullptr;
  Handlers handlers;
  std::size_t queue_limit = 0;
  std::size_t queued = 0;
  bool ended = false;
  std::function<void()> closed;

  ~Block() {
    if (closed) closed();
  }
  uv_stream_t* stream() { return reinterpret_cast<uv_stream_t*>(&handle); }
  bool closing() const { return uv_is_closing(reinterpret_cast<const uv_handle_t*>(&handle)) != 0; }
};

// The bytes are an answer: wiped when they have gone.
struct UnixStream::WriteRequest {
  uv_write_t request{};
  Block* block = nullptr;
  Secret bytes;
};

namespace {

uv_buf_t buffer_of(std::string_view bytes) {
  // libuv's buffers are not const; it only reads from those it writes.
  return uv_buf_init(const_cast<char*>(bytes.data()), static_cast<unsigned>(bytes.size()));
}

}  // namespace

void UnixStream::Close::operator()(Block* block) const {
  close_and_delete(block);
}

UnixStream::UnixStream(std::unique_ptr<Block, Close> block) : block_(std::move(block)) {}

Result<UnixStream> UnixStream::adopt(Loop& loop, Fd fd, std::size_t queue_limit,
                                     Handlers handlers) {
  auto fresh = std::make_unique<Block>();
  fresh->loop = &loop;
  fresh->handlers = std::move(handlers);
  fresh->queue_limit = queue_limit;
  fresh->handle.data = fresh.get();
  // ipc = 0: otherwise libuv collects the descriptors that a hostile peer sends.
  uv_pipe_init(loop.raw(), &fresh->handle, 0);  // cannot fail
  std::unique_ptr<Block, Close> block(fresh.release());
  const int error = uv_pipe_open(&block->handle, fd.get());
  if (error != 0) {
    return failure(fmt::format("cannot take over connection {}: {}", fd.get(), describe_uv(error)));
  }
  fd.release();  // the handle's now
  return UnixStream(std::move(block));
}

Status UnixStream::start_reading() {
  if (!block_ || block_->ended) return {};
  const int error = uv_read_start(
      block_->stream(),
      [](uv_handle_t* handle, std::size_t /*suggested*/, uv_buf_t* buffer) {
        const std::span<char> scratch = static_cast<Block*>(handle->data)->loop->scratch();
        *buffer = uv_buf_init(scratch.data(), static_cast<unsigned>(scratch.size()));
      },
      [](uv_stream_t* stream, ssize_t got, const uv_buf_t* buffer) {
        Block& block = *static_cast<Block*>(stream->data);
        if (got > 0) {
          const auto size = static_cast<std::size_t>(got);
          block.handlers.on_data({buffer->base, size});
          explicit_bzero(buffer->base, size);
        } else if (got < 0) {
          end(block, got == UV_EOF ? 0 : static_cast<int>(got));
        }
      });
  if (error != 0 && error != UV_EALREADY) {
    return failure(fmt::format("cannot read from a connection: {}", describe_uv(error)));
  }
  return {};
}

void UnixStream::stop_reading() {
  if (block_) uv_read_stop(block_->stream());
}

void UnixStream::end(Block& block, int error) {
  if (block.ended || block.closing()) return;
  block.ended = true;
  uv_read_stop(block.stream());
  block.handlers.on_end(error);
}

WriteStatus UnixStream::write(std::string_view bytes) {
  if (!block_) return WriteStatus::kFailed;
  Block& block = *block_;
  if (block.queued == 0) {
    const uv_buf_t buffer = buffer_of(bytes);
    const int sent = uv_try_write(block.stream(), &buffer, 1);
    if (sent < 0 && sent != UV_EAGAIN) return WriteStatus::kFailed;
    if (sent > 0) bytes.remove_prefix(static_cast<std::size_t>(sent));
    if (bytes.empty()) return WriteStatus::kSent;
  }
  if (bytes.size() > block.queue_limit - block.queued) return WriteStatus::kOverLimit;

  auto request = std::make_unique<WriteRequest>();
  request->block = &block;
  request->bytes = Secret(bytes);
  request->request.data = request.get();
  const uv_buf_t rest = buffer_of(request->bytes.view());
  const int error =
      uv_write(&request->request, block.stream(), &rest, 1, [](uv_write_t* done, int status) {
        const std::unique_ptr<WriteRequest> owned(static_cast<WriteRequest*>(done->data));
        finish_write(*owned->block, owned->bytes.view().size(), status);
      });
  if (error != 0) return WriteStatus::kFailed;
  request.release();  // comes back in the callback
  block.queued += bytes.size();
  return WriteStatus::kQueued;
}

void UnixStream::finish_write(Block& block, std::size_t size, int status) {
  block.queued -= size;
  if (block.closing()) return;
  if (status != 0) {
    end(block, status);
  } else if (block.queued == 0 && block.handlers.on_drained) {
    block.handlers.on_drained();
  }
}

std::size_t UnixStream::queued_bytes() const {
  return block_ ? block_->queued : 0;
}

void UnixStream::close(std::function<void()> closed) {
  if (!block_) return;
  block_->closed = std::move(closed);
  block_.reset();
}

Result<PeerCredentials> UnixStream::credentials() const {
  return peer_credentials(fd());
}

int UnixStream::fd() const {
  if (!block_) return -1;
  uv_os_fd_t fd = -1;
  const bool known = uv_fileno(reinterpret_cast<const uv_handle_t*>(&block_->handle), &fd) == 0;
  return known ? fd : -1;
}

}  // namespace claimsd::daemon

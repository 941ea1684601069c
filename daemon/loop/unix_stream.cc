#include "daemon/loop/unix_stream.h"

#include <errno.h>
#include <fmt/core.h>
#include <string.h>  // explicit_bzero(3)
#include <sys/epoll.h>
#include <sys/socket.h>
#include <uv.h>

#include <deque>

#include "daemon/base/secret.h"
#include "daemon/loop/handle.h"

namespace claimsd::daemon {

// Uses uv_poll_t with its own reads and writes: uv_pipe_t costs 0.5 µs more per query.
//
// libuv polls level-triggered: the kernel puts a reported socket back on its ready list and checks
// it again at the next wait, which costs 0.3 µs per query. So while a stream waits only for input,
// its entry in libuv's epoll set (uv_backend_fd(3)) is made edge-triggered. libuv rewrites the
// entry only when the requested events change. Consequence (epoll(7)): if a read may have left
// bytes or the end of file behind, the entry is written again, which makes epoll report it again.
struct UnixStream::Block {
  uv_poll_t handle{};
  Fd fd;
  Loop* loop = nullptr;
  Handlers handlers;
  std::size_t queue_limit = 0;
  std::deque<Secret> queue;    // answers, wiped after they are sent
  std::size_t queued = 0;      // bytes in it
  std::size_t front_sent = 0;  // bytes of its first element already sent
  int watched = 0;             // events that the handle waits for
  bool reading = false;
  bool edge = false;  // its epoll entry is edge-triggered
  bool ended = false;
  std::function<void()> closed;

  Block() = default;
  Block(const Block&) = delete;
  Block& operator=(const Block&) = delete;
  ~Block() {
    if (closed) closed();
  }

  bool closing() const { return uv_is_closing(reinterpret_cast<const uv_handle_t*>(&handle)) != 0; }
  int watch();
  void on_events(int status, int events);
  bool read_some();
  void wait_for_edge();
  void flush();
  void end(int error);
};

namespace {

// Returns bytes sent, or a negative errno.
ssize_t send_some(int fd, std::string_view bytes) {
  ssize_t sent = 0;
  do {
    sent = ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  } while (sent < 0 && errno == EINTR);
  return sent < 0 ? -errno : sent;
}

ssize_t send_some_with(int fd, std::string_view bytes, int descriptor) {
  iovec part{const_cast<char*>(bytes.data()), bytes.size()};  // sendmsg(2) only reads it
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof descriptor)] = {};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  cmsghdr* const header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(sizeof descriptor);
  memcpy(CMSG_DATA(header), &descriptor, sizeof descriptor);
  ssize_t sent = 0;
  do {
    sent = ::sendmsg(fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
  } while (sent < 0 && errno == EINTR);
  return sent;
}

Status check_stream_socket(int fd) {
  int type = 0;
  socklen_t size = sizeof type;
  if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) == 0 && type == SOCK_STREAM) return {};
  return failure(fmt::format("cannot accept connection {}: not a stream socket", fd));
}

}  // namespace

void UnixStream::Close::operator()(Block* block) const {
  close_and_delete(block);
  block->fd.reset();  // after polling has stopped; the peer sees the close now
}

UnixStream::UnixStream(std::unique_ptr<Block, Close> block) : block_(std::move(block)) {}

Result<UnixStream> UnixStream::adopt(Loop& loop, Fd fd, std::size_t queue_limit,
                                     Handlers handlers) {
  TRY(check_stream_socket(fd.get()));
  auto fresh = std::make_unique<Block>();
  fresh->loop = &loop;
  fresh->handlers = std::move(handlers);
  fresh->queue_limit = queue_limit;
  fresh->handle.data = fresh.get();
  if (const int error = uv_poll_init(loop.raw(), &fresh->handle, fd.get()); error != 0) {
    return failure(fmt::format("cannot accept connection {}: {}", fd.get(), describe_uv(error)));
  }
  fresh->fd = std::move(fd);
  return UnixStream(std::unique_ptr<Block, Close>(fresh.release()));
}

Status UnixStream::start_reading() {
  if (!block_ || block_->ended) return {};
  block_->reading = true;
  if (const int error = block_->watch(); error != 0) {
    return failure(fmt::format("cannot read from a connection: {}", describe_uv(error)));
  }
  return {};
}

void UnixStream::stop_reading() {
  if (!block_) return;
  block_->reading = false;
  block_->watch();
}

// Updates the events the handle waits for.
int UnixStream::Block::watch() {
  const int wanted = (reading ? UV_READABLE | UV_DISCONNECT : 0) | (queued > 0 ? UV_WRITABLE : 0);
  if (wanted == watched || closing()) return 0;
  watched = wanted;
  edge = false;
  if (wanted == 0) return uv_poll_stop(&handle);
  return uv_poll_start(&handle, wanted, [](uv_poll_t* polled, int status, int events) {
    static_cast<Block*>(polled->data)->on_events(status, events);
  });
}

// A handler may close the stream. The block stays allocated until libuv's close callback, and is
// not used after the handler returns.
void UnixStream::Block::on_events(int status, int events) {
  // An error, which the next call on the socket explains. libuv has stopped polling.
  if (status < 0) {
    watched = 0;
    events = UV_READABLE | UV_WRITABLE;
  }
  const int watched_before = watched;
  if ((events & UV_WRITABLE) != 0 && queued > 0) flush();
  bool all_read = true;
  if ((events & (UV_READABLE | UV_DISCONNECT)) != 0 && reading && !closing()) {
    all_read = read_some() && (events & UV_DISCONNECT) == 0;
  }
  if (closing()) return;
  if (status < 0) watch();
  // A changed watch is level-triggered at first, and so reports remaining bytes by itself.
  const bool unchanged = watched == watched_before && watched == (UV_READABLE | UV_DISCONNECT);
  if (unchanged && (!edge || !all_read)) wait_for_edge();
}

// Reports what is readable now, and later what arrives.
void UnixStream::Block::wait_for_edge() {
  epoll_event place{.events = EPOLLIN | EPOLLRDHUP | EPOLLET, .data = {.fd = fd.get()}};
  // On failure the entry stays level-triggered.
  edge = epoll_ctl(uv_backend_fd(loop->raw()), EPOLL_CTL_MOD, fd.get(), &place) == 0;
}

// One read per event: remaining bytes cause another event, after the other connections were served.
// Returns false when bytes may remain.
bool UnixStream::Block::read_some() {
  const std::span<char> scratch = loop->scratch();
  const ssize_t got = ::recv(fd.get(), scratch.data(), scratch.size(), MSG_DONTWAIT);
  const int error = errno;
  if (got > 0) {
    const auto size = static_cast<std::size_t>(got);
    handlers.on_data({scratch.data(), size});
    explicit_bzero(scratch.data(), size);
    return size < scratch.size();
  }
  if (got == 0) {
    end(0);
  } else if (error != EAGAIN && error != EINTR) {
    end(-error);
  }
  return got == 0 || error != EINTR;
}

void UnixStream::Block::end(int error) {
  if (ended || closing()) return;
  ended = true;
  reading = false;
  watch();
  handlers.on_end(error);
}

WriteStatus UnixStream::write(std::string_view bytes) {
  if (!block_) return WriteStatus::kFailed;
  Block& block = *block_;
  if (block.queued == 0) {
    const ssize_t sent = send_some(block.fd.get(), bytes);
    if (sent < 0 && sent != -EAGAIN) return WriteStatus::kFailed;
    if (sent > 0) bytes.remove_prefix(static_cast<std::size_t>(sent));
    if (bytes.empty()) return WriteStatus::kSent;
  }
  if (bytes.size() > block.queue_limit - block.queued) return WriteStatus::kOverLimit;
  block.queue.emplace_back(bytes);
  block.queued += bytes.size();
  return block.watch() == 0 ? WriteStatus::kQueued : WriteStatus::kFailed;
}

bool UnixStream::write_with_descriptor(std::string_view bytes, int descriptor) {
  if (!block_ || block_->queued > 0) return false;
  const ssize_t sent = send_some_with(block_->fd.get(), bytes, descriptor);
  if (sent <= 0) return false;
  bytes.remove_prefix(static_cast<std::size_t>(sent));
  // An error of this write is reported again by the next write or read.
  if (!bytes.empty()) write(bytes);
  return true;
}

void UnixStream::Block::flush() {
  while (queued > 0) {
    const std::string_view rest = queue.front().view().substr(front_sent);
    const ssize_t sent = send_some(fd.get(), rest);
    if (sent == -EAGAIN) return;
    if (sent < 0) {
      queue.clear();
      queued = front_sent = 0;
      watch();
      return end(static_cast<int>(sent));
    }
    queued -= static_cast<std::size_t>(sent);
    front_sent += static_cast<std::size_t>(sent);
    if (front_sent < queue.front().view().size()) return;
    queue.pop_front();
    front_sent = 0;
  }
  watch();
  if (handlers.on_drained) handlers.on_drained();
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
  return block_ ? block_->fd.get() : -1;
}

}  // namespace claimsd::daemon

#include "daemon/loop/stream_listener.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>

#include <optional>

#include "daemon/loop/poll.h"
#include "daemon/loop/timer.h"

namespace claimsd::loop {
namespace {

// Clients accepted per loop iteration: what a query of a connected client waits for at most. The
// listener is level-triggered, so a burst of clients costs one wait for events per so many.
constexpr int kAcceptsPerIteration = 4;

// Delay before accepting again when no client can be accepted, not even to be refused.
constexpr milliseconds kRetryDelay{100};

Fd open_reserve() {
  return Fd(open("/dev/null", O_RDONLY | O_CLOEXEC));
}

Fd accept_from(const Fd& listener) {
  int fd = -1;
  do {
    fd = accept4(listener.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    // A client that gave up while waiting is no error.
  } while (fd < 0 && (errno == EINTR || errno == ECONNABORTED));
  return Fd(fd);
}

}  // namespace

// Kept alive by the callback of its own Poll, which libuv releases one iteration after close(). A
// handler may therefore destroy the listener.
class StreamListener::Impl {
 public:
  static Result<Handle> create(Loop& loop, Fd fd, Handlers handlers) {
    const auto impl = std::make_shared<Impl>(std::move(fd), std::move(handlers));
    impl->poll_.emplace(
        TRY(Poll::create(loop, impl->fd_.get(), [impl](const PollEvents&) { impl->accept(); })));
    impl->retry_.emplace(loop, [raw = impl.get()] { raw->retry(); });
    Handle handle(impl.get());
    TRY(impl->poll_->start(true, false));
    return handle;
  }

  Impl(Fd fd, Handlers handlers)
      : fd_(std::move(fd)), reserve_(open_reserve()), handlers_(std::move(handlers)) {}

  void remove_at_end(std::string path, const FileIdentity& file) {
    path_ = std::move(path);
    file_ = file;
  }

  void pause() {
    accepting_ = false;
    poll_->stop();
  }

  Status resume() {
    accepting_ = true;
    return poll_->start(true, false);
  }

  void close() {
    accepting_ = false;
    if (file_) remove_socket_file(path_, *file_);
    poll_->stop();
    fd_.reset();
    retry_.reset();
    poll_.reset();  // last: it may hold the last reference
  }

 private:
  void accept() {
    for (int taken = 0; taken < kAcceptsPerIteration && accepting_; ++taken) {
      Fd client = accept_from(fd_);
      if (client) {
        handlers_.on_connection(std::move(client));
        continue;
      }
      if (errno == EAGAIN) return;
      int error = errno;
      if (error == EMFILE || error == ENFILE) {
        // accept4(2) returns this error before it checks whether a client is waiting.
        const int then = turn_one_away();
        if (then == EAGAIN) return;
        if (then == 0) {
          handlers_.on_error(error);
          continue;
        }
        error = then;
      }
      back_off();
      handlers_.on_error(error);
      return;
    }
  }

  // Returns 0, or the errno if no client was accepted.
  int turn_one_away() {
    reserve_.reset();
    const int error = accept_from(fd_) ? 0 : errno;
    reserve_ = open_reserve();
    return error;
  }

  // The listener stays readable. Without a pause the loop would spin on it.
  void back_off() {
    poll_->stop();
    retry_->start(kRetryDelay);
  }

  void retry() {
    if (!reserve_) reserve_ = open_reserve();
    if (accepting_ && !poll_->start(true, false)) retry_->start(kRetryDelay);
  }

  Fd fd_;
  Fd reserve_;
  Handlers handlers_;
  std::string path_;
  std::optional<FileIdentity> file_;
  bool accepting_ = true;
  std::optional<Timer> retry_;
  std::optional<Poll> poll_;
};

void StreamListener::Close::operator()(Impl* impl) const {
  impl->close();
}

StreamListener::StreamListener(Handle impl) : impl_(std::move(impl)) {}

Result<StreamListener> StreamListener::listen(Loop& loop, const ListenOptions& options,
                                              Handlers handlers) {
  BoundSocket bound = TRY(listen_on_unix_path(options));
  auto impl = TRY(Impl::create(loop, std::move(bound.fd), std::move(handlers)));
  impl->remove_at_end(options.path, bound.file);
  return StreamListener(std::move(impl));
}

Result<StreamListener> StreamListener::adopt(Loop& loop, Fd fd, Handlers handlers) {
  Fd listening = TRY(adopt_listening_socket(std::move(fd)));
  return StreamListener(TRY(Impl::create(loop, std::move(listening), std::move(handlers))));
}

Result<StreamListener> StreamListener::adopt_any(Loop& loop, Fd fd, Handlers handlers) {
  return StreamListener(TRY(Impl::create(loop, std::move(fd), std::move(handlers))));
}

void StreamListener::pause() {
  impl_->pause();
}
Status StreamListener::resume() {
  return impl_->resume();
}

}  // namespace claimsd::loop

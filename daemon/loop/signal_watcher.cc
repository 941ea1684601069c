#include "daemon/loop/signal_watcher.h"

#include <signal.h>

#include <fmt/core.h>
#include <uv.h>

#include "daemon/loop/handle.h"

namespace claimsd::loop {

struct SignalWatcher::Block {
  uv_signal_t handle{};
  Callback callback;
};

void SignalWatcher::Close::operator()(Block* block) const {
  close_and_delete(block);
}

SignalWatcher::SignalWatcher(std::unique_ptr<Block, Close> block) : block_(std::move(block)) {}

Result<SignalWatcher> SignalWatcher::create(Loop& loop, int signal_number, Callback callback) {
  auto fresh = std::make_unique<Block>();
  fresh->callback = std::move(callback);
  fresh->handle.data = fresh.get();
  int error = uv_signal_init(loop.raw(), &fresh->handle);
  if (error == 0) {
    // From here on libuv owns it until its close callback.
    std::unique_ptr<Block, Close> block(fresh.release());
    error = uv_signal_start(
        &block->handle,
        [](uv_signal_t* handle, int number) {
          static_cast<Block*>(handle->data)->callback(number);
        },
        signal_number);
    if (error == 0) return SignalWatcher(std::move(block));
  }
  return failure(fmt::format("cannot watch for signal {}: {}", signal_number, describe_uv(error)));
}

void block_stop_signals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
}

}  // namespace claimsd::loop

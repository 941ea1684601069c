#include "daemon/loop/timer_fd.h"

#include <fmt/core.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <algorithm>

#include "daemon/base/fd.h"
#include "daemon/loop/handle.h"

namespace claimsd::loop {
namespace {

timespec to_timespec(Duration duration) {
  const auto whole = std::chrono::duration_cast<seconds>(duration);
  return {.tv_sec = whole.count(), .tv_nsec = (duration - whole).count()};
}

}  // namespace

struct TimerFd::Block {
  uv_poll_t handle{};
  Fd timer;
  bool repeats = false;
  bool active = false;
  Callback callback;

  void set(Duration delay, Duration repeat) {
    const itimerspec spec = {.it_interval = to_timespec(repeat), .it_value = to_timespec(delay)};
    timerfd_settime(timer.get(), 0, &spec,
                    nullptr);  // cannot fail for a valid timerfd and valid times
  }
};

void TimerFd::Close::operator()(Block* block) const {
  close_and_delete(block);
}

TimerFd::TimerFd(std::unique_ptr<Block, Close> block) : block_(std::move(block)) {}

Result<TimerFd> TimerFd::create(Loop& loop, Callback callback) {
  auto block = std::make_unique<Block>();
  block->callback = std::move(callback);
  block->handle.data = block.get();
  block->timer = Fd(timerfd_create(CLOCK_BOOTTIME, TFD_CLOEXEC | TFD_NONBLOCK));
  const int error =
      block->timer ? uv_poll_init(loop.raw(), &block->handle, block->timer.get()) : UV_EMFILE;
  if (error != 0) {
    return failure(fmt::format("cannot create a timer: {}; raise the limit on open files",
                               describe_uv(error)));
  }
  uv_poll_start(&block->handle, UV_READABLE, [](uv_poll_t* handle, int, int) {
    Block& self = *static_cast<Block*>(handle->data);
    std::uint64_t expirations = 0;
    // Nothing to read: the timer was stopped or restarted in this iteration.
    if (read(self.timer.get(), &expirations, sizeof expirations) != sizeof expirations) return;
    self.active = self.repeats;
    self.callback();
  });
  return TimerFd(std::unique_ptr<Block, Close>(block.release()));
}

void TimerFd::start(Duration delay, Duration repeat) {
  block_->repeats = repeat > Duration(0);
  block_->active = true;
  block_->set(std::max(delay, Duration(1)), repeat);  // 0 would disarm it
}

void TimerFd::stop() {
  if (!block_->active) return;
  block_->active = false;
  block_->set({}, {});
}

bool TimerFd::active() const {
  return block_->active;
}

}  // namespace claimsd::loop

#include "daemon/loop/timer.h"

#include <uv.h>

#include <algorithm>

#include "daemon/loop/handle.h"

namespace claimsd::loop {
namespace {

std::uint64_t whole_ms(Duration duration) {
  return static_cast<std::uint64_t>(
      std::max<std::int64_t>(0, std::chrono::ceil<milliseconds>(duration).count()));
}

// libuv's clock shows the millisecond that has begun, so a timer may fire up to one too early.
std::uint64_t at_least(Duration delay) {
  const std::uint64_t whole = whole_ms(delay);
  return whole == 0 ? 0 : whole + 1;
}

}  // namespace

struct Timer::Block {
  uv_timer_t handle{};
  Callback callback;
};

void Timer::Close::operator()(Block* block) const {
  close_and_delete(block);
}

Timer::Timer(Loop& loop, Callback callback) : block_(new Block{{}, std::move(callback)}) {
  uv_timer_init(loop.raw(), &block_->handle);  // cannot fail
  block_->handle.data = block_.get();
}

void Timer::start(Duration delay, Duration repeat) {
  // libuv counts from the start of the iteration. A callback that ran long must not shorten the
  // delay.
  uv_update_time(block_->handle.loop);
  uv_timer_start(
      &block_->handle, [](uv_timer_t* handle) { static_cast<Block*>(handle->data)->callback(); },
      at_least(delay), whole_ms(repeat));
}

void Timer::stop() {
  uv_timer_stop(&block_->handle);
}

bool Timer::active() const {
  return uv_is_active(reinterpret_cast<const uv_handle_t*>(&block_->handle)) != 0;
}

}  // namespace claimsd::loop

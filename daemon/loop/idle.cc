#include "daemon/loop/idle.h"

#include <uv.h>

#include "daemon/loop/handle.h"

namespace claimsd::loop {

struct Idle::Block {
  uv_idle_t handle{};
  Callback callback;
};

void Idle::Close::operator()(Block* block) const {
  close_and_delete(block);
}

Idle::Idle(Loop& loop, Callback callback) : block_(new Block{{}, std::move(callback)}) {
  uv_idle_init(loop.raw(), &block_->handle);  // cannot fail
  block_->handle.data = block_.get();
}

void Idle::start() {
  uv_idle_start(&block_->handle,
                [](uv_idle_t* handle) { static_cast<Block*>(handle->data)->callback(); });
}

void Idle::stop() {
  uv_idle_stop(&block_->handle);
}

}  // namespace claimsd::loop

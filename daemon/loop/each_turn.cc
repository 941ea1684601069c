#include "daemon/loop/each_turn.h"

#include <uv.h>

#include "daemon/loop/handle.h"

namespace claimsd::daemon {

struct EachTurn::Block {
  uv_idle_t handle{};
  Callback callback;
};

void EachTurn::Close::operator()(Block* block) const {
  close_and_delete(block);
}

EachTurn::EachTurn(Loop& loop, Callback callback) : block_(new Block{{}, std::move(callback)}) {
  uv_idle_init(loop.raw(), &block_->handle);  // cannot fail
  block_->handle.data = block_.get();
}

void EachTurn::start() {
  uv_idle_start(&block_->handle,
                [](uv_idle_t* handle) { static_cast<Block*>(handle->data)->callback(); });
}

void EachTurn::stop() {
  uv_idle_stop(&block_->handle);
}

}  // namespace claimsd::daemon

#include "daemon/loop/prepare.h"

#include "daemon/loop/handle.h"

namespace claimsd::loop {

struct Prepare::Block {
  uv_prepare_t handle{};
  Callback callback;
};

void Prepare::Close::operator()(Block* block) const {
  close_and_delete(block);
}

Prepare::Prepare(Loop& loop, Callback callback) : block_(new Block) {
  block_->callback = std::move(callback);
  block_->handle.data = block_.get();
  uv_prepare_init(loop.raw(), &block_->handle);  // neither can fail
  uv_prepare_start(&block_->handle,
                   [](uv_prepare_t* handle) { static_cast<Block*>(handle->data)->callback(); });
  uv_unref(reinterpret_cast<uv_handle_t*>(&block_->handle));
}

}  // namespace claimsd::loop

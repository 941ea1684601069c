// handle.h: how every wrapper of this folder lets go of its handle. For the .cc files of
// daemon/loop/ alone: it includes uv.h.
#pragma once

#include <uv.h>

#include <memory>

namespace claimsd::daemon {

// `block` holds the uv handle as its member `handle` (whose `data` points at the block) and is
// freed when libuv has let go of it.
template <class Block>
void close_and_delete(Block* block) {
  uv_close(reinterpret_cast<uv_handle_t*>(&block->handle), [](uv_handle_t* handle) {
    std::unique_ptr<Block> freed(static_cast<Block*>(handle->data));
  });
}

}  // namespace claimsd::daemon

// handle.h: how every wrapper in this directory closes its handle. Only for .cc files of
// daemon/loop/, because it includes uv.h.
#pragma once

#include <uv.h>

#include <memory>

namespace claimsd::loop {

// `block` holds the uv handle as its member `handle`, whose `data` points to the block. The block
// is freed in libuv's close callback.
template <class Block>
void close_and_delete(Block* block) {
  uv_close(reinterpret_cast<uv_handle_t*>(&block->handle), [](uv_handle_t* handle) {
    std::unique_ptr<Block> freed(static_cast<Block*>(handle->data));
  });
}

}  // namespace claimsd::loop

#include "daemon/loop/loop.h"

#include <fmt/core.h>
#include <uv.h>

#include <array>
#include <cstdio>
#include <cstdlib>

namespace claimsd::daemon {
namespace {

// A handle that outlives its loop leads to a use after free. Abort here and name the handle's type.
void abort_if_open(uv_handle_t* handle, void* /*unused*/) {
  if (uv_is_closing(handle)) return;
  std::fprintf(stderr, "claimsd: an event loop was destroyed while a %s handle was open\n",
               uv_handle_type_name(uv_handle_get_type(handle)));
  std::abort();
}

}  // namespace

struct Loop::Impl {
  uv_loop_t loop{};
  std::array<char, kScratchSize> scratch{};
};

Loop::Loop(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

Result<std::unique_ptr<Loop>> Loop::create() {
  auto impl = std::make_unique<Impl>();
  const int error = uv_loop_init(&impl->loop);
  if (error != 0) {
    return failure(
        fmt::format("cannot create an event loop: {}; raise the limit on open files (LimitNOFILE)",
                    describe_uv(error)));
  }
  return std::unique_ptr<Loop>(new Loop(std::move(impl)));
}

Loop::~Loop() {
  uv_walk(&impl_->loop, abort_if_open, nullptr);
  while (uv_loop_close(&impl_->loop) == UV_EBUSY) uv_run(&impl_->loop, UV_RUN_NOWAIT);
}

void Loop::run() {
  uv_run(&impl_->loop, UV_RUN_DEFAULT);
}
void Loop::run_once() {
  uv_run(&impl_->loop, UV_RUN_ONCE);
}
void Loop::run_ready() {
  uv_run(&impl_->loop, UV_RUN_NOWAIT);
}
void Loop::stop() {
  uv_stop(&impl_->loop);
}
Duration Loop::hrtime() {
  return Duration(static_cast<Duration::rep>(uv_hrtime()));
}
std::span<char> Loop::scratch() {
  return impl_->scratch;
}
uv_loop_s* Loop::raw() {
  return &impl_->loop;
}

std::string describe_uv(int error) {
  std::array<char, 128> words{};
  return uv_strerror_r(error, words.data(), words.size());
}

}  // namespace claimsd::daemon

// loop.h: one libuv loop, and the rules shared by all wrappers of its handles.
//
// A Loop is pinned, because its handles point to it. It belongs to the thread that runs it.
// Everything made on it (Timer, Poll, Async, UnixStream...) is created, used and destroyed on that
// thread, except where stated (Async::notify, MessageQueue::push).
//
// The wrappers are move-only and follow three rules:
// - Destroying one closes its handle immediately. Its callback is not called again, even when it is
//   destroyed from inside that callback.
// - The handle and the callback, with everything it captured, are freed one loop iteration later,
//   in libuv's close callback. libuv uses them until then.
// - A wrapper must not outlive its Loop. ~Loop waits for the close callbacks, and aborts if a
//   handle is still open.
//
// libuv's errors are negative errno values (uv_strerror(3)); `describe_uv` returns their text.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <span>
#include <string>

#include "daemon/base/clock.h"
#include "daemon/base/result.h"

struct uv_loop_s;

namespace claimsd::loop {

class Loop {
 public:
  // Largest read of a stream, in bytes. Larger than a protocol frame, so a whole frame fits into
  // one read.
  static constexpr std::size_t kScratchSize = 64 * 1024;

  static Result<std::unique_ptr<Loop>> create();
  ~Loop();
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  // Runs until stop(), or until no handle is active.
  void run();
  // Waits for events once and handles them.
  void run_once();
  // Handles events that are ready, without waiting.
  void run_ready();
  // Call from a callback of this loop: run() returns after the current iteration.
  void stop();

  // Monotonic time in nanoseconds, read on each call. Only differences are meaningful. It stops
  // while the machine is suspended.
  static Duration hrtime();

  // One buffer for all reads on this loop. Its contents are valid until the reading callback
  // returns.
  std::span<char> scratch();

  // Only for the wrappers in this directory.
  uv_loop_s* raw();

 private:
  struct Impl;
  explicit Loop(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

// For example "connection reset by peer" for UV_ECONNRESET.
std::string describe_uv(int error);

}  // namespace claimsd::loop

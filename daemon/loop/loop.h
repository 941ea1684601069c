// loop.h: one libuv loop, and what all wrappers around its handles have in common.
//
// A Loop is pinned: its handles point at it. It belongs to the thread that runs it, and everything
// made on it (Timer, Poll, Async, UnixStream...) is made, used and destroyed there too; the
// exceptions say so (Async::notify, MessageQueue::push).
//
// The wrappers are move-only values and follow three rules:
// - Destroying one closes its handle at once; its callback is not called again, not even when it is
// destroyed from inside of it.
// - The memory of the handle and of the callback is freed a turn of the loop later, in libuv's
// close callback, since libuv uses it
//   until then. What a callback has captured lives until then too.
// - A wrapper must not outlive its Loop. ~Loop waits for the close callbacks and aborts where a
// handle is still open.
//
// Errors of libuv are negative errno values (uv_strerror(3)); `describe_uv` gives words for them.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <span>
#include <string>

#include "daemon/base/clock.h"
#include "daemon/base/result.h"

struct uv_loop_s;

namespace claimsd::daemon {

class Loop {
 public:
  // The most that one read of a stream delivers. Larger than a frame of the protocol, so that a
  // whole one can arrive at once.
  static constexpr std::size_t kScratchSize = 64 * 1024;

  static Result<std::unique_ptr<Loop>> create();
  ~Loop();
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  // Runs until stop() or until nothing is left that could call back.
  void run();
  // Waits for one round of events and handles them.
  void run_once();
  // Handles what is ready and returns.
  void run_ready();
  // From a callback of this loop: run() returns when the current turn is over.
  void stop();

  // Monotonic, nanoseconds, read afresh; only differences mean anything. Stands still while the
  // machine is suspended.
  static Duration hrtime();

  // One buffer for all reads of this loop: what is in it is valid until the reading callback
  // returns.
  std::span<char> scratch();

  // For the wrappers of this folder.
  uv_loop_s* raw();

 private:
  struct Impl;
  explicit Loop(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

// "connection reset by peer" for UV_ECONNRESET, and so on.
std::string describe_uv(int error);

}  // namespace claimsd::daemon

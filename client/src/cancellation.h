// cancellation.h: ends a blocking call early, from another thread. Behind claimsd_cancellation in
// claimsd.h.
//
// A flag that a blocked call reads every kSliceMs. A file descriptor would react sooner, but each
// cancellation would need one, and each wait a poll(). Any thread; must outlive the calls that use
// it.
#pragma once

#include <atomic>
#include <cstdint>

namespace claimsd::client {

class Cancellation {
 public:
  static constexpr std::uint32_t kSliceMs = 10;  // the longest wait without reading the flag

  void cancel() { canceled_.store(true, std::memory_order_release); }
  bool is_canceled() const { return canceled_.load(std::memory_order_acquire); }

 private:
  std::atomic<bool> canceled_{false};
  static_assert(std::atomic<bool>::is_always_lock_free);  // cancel() is async-signal-safe
};

}  // namespace claimsd::client

// The C ABI's name for it.
struct claimsd_cancellation {
  claimsd::client::Cancellation cancellation;
};
